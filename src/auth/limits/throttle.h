// LoginThrottle: slows down password guessing without locking out the user who knows the password.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm {

/// One try to sign in. `address`: of the client (an IPv6 address represents its /64). `device`: the id in its device cookie for this name;
/// empty: a device from which this user has never signed in, for a code: never with a second factor.
struct LoginAttempt {
  std::string_view name;
  std::string_view address;
  std::string_view device{};
  bool isCode = false;  ///< of 6 digits, after a right password
};

/// A name may fail 5 times from one address, an address 20 times; then each further failure doubles the wait, from 1 s up to 60 s and 300
/// s. A known device is counted separately: it may fail 10 times, independently of other clients. A name that has failed 100 times from
/// anywhere accepts one attempt in 2 s from unknown devices: many addresses together cannot guess faster, and the owner can still sign in.
/// Codes of 6 digits are few, and 3 of a million are right at a time. After 10 wrong ones for a name, unknown devices together may try one
/// in 10 minutes: 154 in a day find one with a probability of 0.05 %. A known device may fail 5 times, then once in 30 minutes, and all
/// of a user together 20 times, then once in 10 minutes: the owner is not locked out by others, nor by one device that was stolen.
/// Entries without a failure for 15 minutes, of codes for a day, are dropped. An attempt counts as failed from its beginning, so that
/// concurrent attempts have no advantage. Thread-safe.
class LoginThrottle {
 public:
  explicit LoginThrottle(const Clock& clock) : clock_(clock) {}
  /// Throws Error(TooManyRequests) with the time to wait; otherwise the attempt counts as failed until succeeded().
  void attempt(const LoginAttempt& attempt);
  void succeeded(const LoginAttempt& attempt);
  /// Neither: the password was right, and a code is missing. Forgets this attempt, and no other.
  void withdraw(const LoginAttempt& attempt);

 private:
  struct Entry {
    int failures = 0;
    SteadyTime last{};
    SteadyTime notBefore{};
  };
  struct Limit {
    int free;
    std::chrono::seconds shortest;
    std::chrono::seconds longest;
    std::chrono::minutes memory{15};  ///< without a failure, after which the entry is dropped
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  static const Limit kDevice, kPair, kAddress, kName, kCode, kCodeOfDevice, kCodeOfDevices;

  void attemptFromDevice(const LoginAttempt& attempt);
  void check(const Entries& entries, std::string_view key) const;
  void count(Entries& entries, std::string_view key, Limit limit);
  static void takeBack(Entries& entries, std::string_view key, Limit limit);
  static void forgetOld(Entries& entries, std::chrono::minutes memory, SteadyTime now);

  const Clock& clock_;
  std::mutex mutex_;
  Entries devices_;
  Entries pairs_;  ///< "name\naddress"
  Entries addresses_;
  Entries names_;
  Entries codes_;             ///< by name, of unknown devices
  Entries codes_of_device_;   ///< by device
  Entries codes_of_devices_;  ///< by name, of known devices
};

}  // namespace swarm
