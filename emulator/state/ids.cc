// Random parts come from the system's source; stable ones from a hash.
#include "emulator/state/ids.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm::emulator {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string randomLetters(std::size_t count) {
  std::string text = randomBytes(count);
  for (char& byte : text) byte = kLetters[static_cast<unsigned char>(byte) % kLetters.size()];
  return text;
}

unsigned randomNumber() {
  std::string bytes = randomBytes(4);
  unsigned number = 0;
  for (char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// "x:xxxx" groups of a hash, as Go formats an address: without leading zeros, and without zero groups (which would be abbreviated).
std::string groups(std::string_view hash, std::size_t first_byte, int count) {
  std::string text;
  for (int group = 0; group < count; ++group) {
    if (group > 0) text += ':';
    std::string digits = toHex(hash.substr(first_byte + 2 * static_cast<std::size_t>(group), 2));
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    text += digits.empty() ? "1" : digits;
  }
  return text;
}

std::string networkHash(std::string_view organization, std::string_view network) { return sha256(format("{}/{}", organization, network)); }

}  // namespace

std::string newMachineId() { return toHex(randomBytes(7)); }

std::string newUlid(SystemTime now) {
  std::string ulid(26, '0');
  auto time = static_cast<std::uint64_t>(unixMilliseconds(now));
  for (int digit = 9; digit >= 0; --digit, time >>= 5) ulid[static_cast<std::size_t>(digit)] = kCrockford[time & 31];
  // Two created in one millisecond must still sort in order of creation.
  thread_local std::uint64_t last_time = 0, sequence = 0;  // an emulator has one loop, a process may have several
  auto milliseconds = static_cast<std::uint64_t>(unixMilliseconds(now));
  sequence = milliseconds == last_time ? sequence + 1 : 0;
  last_time = milliseconds;
  std::uint64_t count = sequence;
  for (int digit = 13; digit >= 10; --digit, count >>= 5) ulid[static_cast<std::size_t>(digit)] = kCrockford[count & 31];
  std::string random = randomBytes(12);
  for (std::size_t digit = 14; digit < 26; ++digit) ulid[digit] = kCrockford[static_cast<unsigned char>(random[digit - 14]) & 31];
  return ulid;
}

std::string newVolumeId() { return "vol_" + randomLetters(16); }
std::string newSnapshotId() {
  std::string letters = randomLetters(24), cases = randomBytes(24);
  for (std::size_t at = 0; at < letters.size(); ++at) {
    bool is_upper = (static_cast<unsigned char>(cases[at]) & 1) != 0 && letters[at] >= 'a';
    if (is_upper) letters[at] = static_cast<char>(letters[at] - 'a' + 'A');
  }
  return "vs_" + letters;
}
std::string newNonce() { return toHex(randomBytes(6)); }
std::string newAppId() { return randomLetters(14); }

std::string newMachineName() {
  static constexpr std::array<std::string_view, 16> kAdjectives = {"aged",  "billowing", "cold",   "damp", "falling", "fragrant",
                                                                   "green", "icy",       "little", "long", "muddy",   "patient",
                                                                   "quiet", "red",       "silent", "wispy"};
  static constexpr std::array<std::string_view, 16> kNouns = {"bird",   "breeze", "brook", "bush", "cloud", "dew",   "field", "fire",
                                                              "forest", "glade",  "lake",  "leaf", "moon",  "river", "sun",   "thunder"};
  unsigned number = randomNumber();
  return format("{}-{}-{:04}", kAdjectives[number & 15], kNouns[number >> 4 & 15], (number >> 8) % 10'000);
}

std::string privateAddress(std::string_view organization, std::string_view network, std::string_view machine_id) {
  return format("fdaa:{}:a7b:{}:2", groups(networkHash(organization, network), 0, 2), groups(sha256(machine_id), 0, 3));
}

std::string networkCidr(std::string_view organization, std::string_view network) {
  return format("fdaa:{}::/48", groups(networkHash(organization, network), 0, 2));
}

std::string publicAddressV6() { return format("2001:db8:{}:0:1", groups(randomBytes(8), 0, 4)); }
std::string publicAddressV4() {
  unsigned number = randomNumber();
  return format("198.18.{}.{}", number >> 8 & 255, 1 + number % 254);
}
std::string flycastAddress(std::string_view organization, std::string_view network) {
  return format("fdaa:{}:0:1::{}", groups(networkHash(organization, network), 0, 2), groups(randomBytes(2), 0, 1));
}

std::string formatSeconds(SystemTime time) {
  std::string text = formatTime(time);
  if (std::size_t dot = text.find('.'); dot != std::string::npos) text = text.substr(0, dot) + "Z";
  return text;
}

std::int64_t unixSeconds(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }
std::int64_t unixMilliseconds(SystemTime time) { return time.time_since_epoch().count(); }

std::string decodeBase64(std::string_view text) {
  std::string url;
  for (char letter : text) {
    if (letter == '=' || letter == '\n' || letter == '\r') continue;
    url += letter == '+' ? '-' : letter == '/' ? '_' : letter;
  }
  std::optional<std::string> decoded = fromBase64Url(url);
  if (!decoded) throw Error(ErrorCode::InvalidArgument, "A value is not valid base64.");
  return *decoded;
}

std::optional<std::chrono::milliseconds> parseGoDuration(std::string_view text) {
  double total_ms = 0;
  bool any = false;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && (std::isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) ++digits;
    if (digits == 0 || digits > 15 || std::ranges::count(text.substr(0, digits), '.') > 1) return std::nullopt;
    double number = 0;
    try {
      number = std::stod(std::string(text.substr(0, digits)));
    } catch (const std::exception&) {
      return std::nullopt;
    }
    text.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < text.size() && std::isalpha(static_cast<unsigned char>(text[letters]))) ++letters;
    std::string_view unit = text.substr(0, letters);
    double factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : unit == "us" ? 0.001 : 0;
    if (unit.empty() && !any && text.empty()) factor = 1000;
    if (factor == 0) return std::nullopt;
    total_ms += number * factor;
    text.remove_prefix(letters);
    any = true;
  }
  if (!any || total_ms > 1e12) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(total_ms));
}

}  // namespace swarm::emulator
