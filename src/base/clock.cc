// RFC 3339 times.
#include "base/clock.h"

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

std::string formatTime(SystemTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                clock.hours().count(), clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

namespace {

/// Reads a time from left to right; after the first wrong character every further read fails.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  /// Exactly `count` digits.
  int number(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) value = value * 10 + digit();
    return value;
  }
  void oneOf(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_[0]) == std::string_view::npos) return fail();
    rest_.remove_prefix(1);
  }
  bool skip(char character) {
    if (!rest_.starts_with(character)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool atDigit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  int digit() {
    if (!atDigit()) {
      fail();
      return 0;
    }
    int value = rest_[0] - '0';
    rest_.remove_prefix(1);
    return value;
  }
  void require(bool condition) {
    if (!condition) fail();
  }
  bool ok() const { return ok_ && rest_.empty(); }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::chrono::milliseconds readFraction(TimeReader& reader) {
  int milliseconds = 0, scale = 100;
  reader.require(reader.atDigit());
  while (reader.atDigit()) {
    milliseconds += reader.digit() * scale;
    scale /= 10;
  }
  return std::chrono::milliseconds(milliseconds);
}

/// "Z" or "+01:00".
std::chrono::minutes readOffset(TimeReader& reader) {
  if (reader.skip('Z') || reader.skip('z')) return {};
  bool west = reader.skip('-');
  if (!west) reader.oneOf("+");
  int hours = reader.number(2);
  reader.oneOf(":");
  int minutes = reader.number(2);
  reader.require(hours <= 23 && minutes <= 59);
  return (west ? -1 : 1) * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
}

}  // namespace

SystemTime parseTime(std::string_view text) {
  TimeReader reader(text);
  int year = reader.number(4);
  reader.oneOf("-");
  int month = reader.number(2);
  reader.oneOf("-");
  int day = reader.number(2);
  reader.oneOf("Tt ");
  int hour = reader.number(2);
  reader.oneOf(":");
  int minute = reader.number(2);
  reader.oneOf(":");
  int second = reader.number(2);
  auto fraction = reader.skip('.') ? readFraction(reader) : std::chrono::milliseconds(0);
  std::chrono::minutes offset = readOffset(reader);
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.ok() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    throw Error(ErrorCode::InvalidArgument,
                format("\"{}\" is not a time; expected RFC 3339, like 2026-11-23T19:04:36Z.", text.substr(0, 64)));
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction -
         offset;
}

}  // namespace swarm
