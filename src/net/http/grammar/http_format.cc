// Writing of heads: checks against header injection, the cached Date.
#include "net/http/grammar/http_format.h"

#include <algorithm>
#include <ctime>

namespace swarm::net {

namespace {

bool isControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool isTokenByte(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.contains(c);
}

}  // namespace

bool isSendable(const Header& header) { return isSendableMethod(header.name) && std::ranges::none_of(header.value, isControl); }

bool isSendableMethod(std::string_view method) { return !method.empty() && std::ranges::all_of(method, isTokenByte); }

bool isSendableTarget(std::string_view target) {
  return !target.empty() && std::ranges::all_of(target, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

std::string_view httpDate() {
  thread_local std::time_t cached = 0;
  thread_local char text[32] = {};
  thread_local std::size_t size = 0;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != cached || size == 0) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    const int written = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                                      kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    size = static_cast<std::size_t>(std::max(written, 0));
    cached = now.tv_sec;
  }
  return {text, size};
}

}  // namespace swarm::net
