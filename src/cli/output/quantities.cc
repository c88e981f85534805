// Parses and formats amounts with units.
#include "cli/output/quantities.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/text/format.h"
#include "base/text/number.h"
#include "cli/arguments.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

constexpr std::int64_t kKilo = 1024;
constexpr std::int64_t kMega = kKilo * 1024;
constexpr std::int64_t kGiga = kMega * 1024;

struct Amount {
  double number = 0;
  std::ptrdiff_t power = 0;  ///< of 1024, as its unit says
};

/// "1.5g" → 1.5 and 3; nothing unless `text` is a number that is not negative, and one of our units or none.
std::optional<Amount> readAmount(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kUnits{"", "K", "M", "G"};
  Amount amount;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), amount.number);
  if (failure != std::errc() || !std::isfinite(amount.number) || amount.number < 0) return std::nullopt;
  std::string unit(end, text.data() + text.size());
  if (unit == "k" || unit == "m" || unit == "g") unit[0] = static_cast<char>(std::toupper(unit[0]));
  if (unit.size() > 1 && (unit.substr(1) == "B" || unit.substr(1) == "iB")) unit.resize(1);
  const auto found = std::ranges::find(kUnits, unit);
  if (found == kUnits.end()) return std::nullopt;
  amount.power = found - kUnits.begin();
  return amount;
}

std::string checkedTime(const std::string& text) {
  try {
    if (!text.empty()) parseTime(text);
    return text;
  } catch (const Error&) {
    throw WrongUse(format("\"{}\" is not a time. Expected an age like 5m, 2h or 1d, or a time like 2026-05-01T11:55:00Z.", text));
  }
}

}  // namespace

std::string bytesText(std::int64_t bytes) {
  if (bytes < kKilo) return format("{} B", bytes);
  if (bytes < kMega) return format("{} KB", bytes / kKilo);
  if (bytes < kGiga) return format("{:.1f} MB", static_cast<double>(bytes) / static_cast<double>(kMega));
  return format("{:.1f} GB", static_cast<double>(bytes) / static_cast<double>(kGiga));
}

std::string countText(std::int64_t count) {
  std::string text = std::to_string(count);
  for (std::int64_t at = static_cast<std::int64_t>(text.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string memoryText(std::int64_t mebibytes) {
  if (mebibytes >= 1024 && mebibytes % 1024 == 0) return format("{} GiB", mebibytes / 1024);
  return format("{} MiB", mebibytes);
}

std::int64_t parseMemory(const std::string& text) {
  const auto amount = readAmount(text);
  if (!amount || amount->power == 1)
    throw WrongUse(format("\"{}\" is not an amount of memory; expected one like 4g, 512m or 2048 (MiB).", text));
  return static_cast<std::int64_t>(amount->number * (amount->power == 3 ? 1024 : 1));
}

std::int64_t parseRate(const std::string& text) {
  const auto amount = readAmount(std::string_view(text).substr(0, text.ends_with("/s") ? text.size() - 2 : text.size()));
  const double rate = amount ? amount->number * static_cast<double>(std::int64_t{1} << (10 * amount->power)) : 0;
  if (rate < 1 || rate > 1e15) throw WrongUse(format("\"{}\" is not a rate; expected bytes per second like 10M, 500K or 1.5G.", text));
  return static_cast<std::int64_t>(rate);
}

std::string sinceTime(const std::string& text, SystemTime now) {
  static constexpr std::array<std::int64_t, 4> kSeconds{1, 60, 3600, 86400};
  const auto unit = text.empty() ? std::string::npos : std::string_view("smhd").find(text.back());
  const auto count =
      unit == std::string::npos ? std::nullopt : parseNumber<std::int64_t>(std::string_view(text).substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > 1'000'000) return checkedTime(text);
  return formatTime(now - std::chrono::seconds(*count * kSeconds[unit]));
}

}  // namespace swarm::cli
