// LoginThrottle: slows down guessing, by name and by address.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm {

/// A name may fail 5 times, an address 20 times; then each further failure doubles the wait, from 1 s up to 60 s (name) or 300 s (address).
/// What did not fail for 15 minutes is forgotten. An attempt counts as failed from its beginning, so that many at once gain nothing.
/// Thread-safe.
class LoginThrottle {
 public:
  explicit LoginThrottle(const Clock& clock) : clock_(clock) {}
  /// Throws Error(TooManyRequests) with the seconds to wait. Otherwise the attempt counts as failed until succeeded().
  void attempt(std::string_view name, std::string_view address);
  void succeeded(std::string_view name, std::string_view address);

 private:
  struct Entry {
    int failures = 0;
    SteadyTime last{};
    SteadyTime notBefore{};
  };
  struct Limit {
    int free;
    std::chrono::seconds longest;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  void check(const Entries& entries, std::string_view key) const;
  void count(Entries& entries, std::string_view key, Limit limit);
  static void forgetOld(Entries& entries, SteadyTime now);

  const Clock& clock_;
  std::mutex mutex_;
  Entries names_;
  Entries addresses_;
};

}  // namespace swarm
