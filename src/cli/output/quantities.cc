// Parses and formats amounts with units.
#include "cli/output/quantities.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text/format.h"
#include "cli/arguments.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

constexpr std::int64_t kKilo = 1024;
constexpr std::int64_t kMega = kKilo * 1024;
constexpr std::int64_t kGiga = kMega * 1024;

struct Amount {
  double number = 0;
  std::string unit;
};

/// "1.5g" → 1.5 and "g"; nothing unless it begins with a number that is not negative.
std::optional<Amount> readAmount(const std::string& text) {
  Amount amount;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), amount.number);
  if (failure != std::errc() || !std::isfinite(amount.number) || amount.number < 0) return std::nullopt;
  amount.unit.assign(end, text.data() + text.size());
  return amount;
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
  std::optional<double> factor;
  if (amount) {
    const std::string& unit = amount->unit;
    if (unit.empty() || unit == "m" || unit == "M" || unit == "MiB" || unit == "MB") factor = 1;
    if (unit == "g" || unit == "G" || unit == "GiB" || unit == "GB") factor = 1024;
  }
  if (!factor) {
    throw WrongUse(format("\"{}\" is not an amount of memory; expected one like 4g, 512m or 2048 (MiB).", text));
  }
  return static_cast<std::int64_t>(amount->number * *factor);
}

std::int64_t parseRate(const std::string& text) {
  const auto amount = readAmount(text);
  std::optional<std::int64_t> factor;
  if (amount) {
    std::string unit = amount->unit;
    if (unit.ends_with("/s")) unit.resize(unit.size() - 2);
    if (unit.empty()) factor = 1;
    if (unit == "k" || unit == "K" || unit == "KB" || unit == "KiB") factor = kKilo;
    if (unit == "m" || unit == "M" || unit == "MB" || unit == "MiB") factor = kMega;
    if (unit == "g" || unit == "G" || unit == "GB" || unit == "GiB") factor = kGiga;
  }
  const double rate = factor ? amount->number * static_cast<double>(*factor) : 0;
  if (rate < 1 || rate > 1e15) {
    throw WrongUse(format("\"{}\" is not a rate; expected bytes per second like 10M, 500K or 1.5G.", text));
  }
  return static_cast<std::int64_t>(rate);
}

namespace {
std::string checkedTime(const std::string& text) {
  try {
    if (!text.empty()) parseTime(text);
    return text;
  } catch (const Error&) {
    throw WrongUse(format("\"{}\" is not a time. Expected an age like 5m, 2h or 1d, or a time like 2026-05-01T11:55:00Z.", text));
  }
}
}  // namespace

std::string sinceTime(const std::string& text, SystemTime now) {
  std::int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || end + 1 != text.data() + text.size() || count < 0 || count > 1'000'000) return checkedTime(text);
  const std::string_view units = "smhd";
  constexpr std::array<std::int64_t, 4> seconds{1, 60, 3600, 86400};
  const auto unit = units.find(*end);
  return unit == std::string_view::npos ? checkedTime(text) : formatTime(now - std::chrono::seconds(count * seconds[unit]));
}

}  // namespace swarm::cli
