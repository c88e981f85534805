// WarningLimit: logs what a client can cause any number of times at most once a minute for each client.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm {

/// Not thread-safe.
class WarningLimit {
 public:
  /// The first time at once, then with the number of those since the last line.
  void warn(std::string_view text, const std::string& address, SteadyTime now);

 private:
  struct Entry {
    std::uint64_t count = 0;
    SteadyTime next{};
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace swarm
