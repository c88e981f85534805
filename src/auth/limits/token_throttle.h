// TokenThrottle: limits how many invalid tokens one address may send.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/diagnostics/warning_limit.h"
#include "base/token_bucket.h"

namespace swarm {

/// 300 invalid tokens at once, then 5 in a second; IPv6 addresses count by their /64. A valid token is never counted or refused, so that
/// an attacker cannot lock out the programs behind the same address. Guessing is hopeless without this limit: a token has 160 random bits,
/// or a signature. It bounds the log and the work. Thread-safe.
class TokenThrottle {
 public:
  /// `things`: what is counted, for the log and, with `advice`, for the message.
  explicit TokenThrottle(const Clock& clock, std::string things = "invalid tokens",
                         std::string advice = "Check the token, or sign in again.")
      : clock_(clock), things_(std::move(things)), advice_(std::move(advice)) {}
  /// Of one invalid token. Throws Error(TooManyRequests) with the time to wait.
  void count(const std::string& address);
  /// Before work that may end in count(): throws the same, and counts nothing.
  void require(const std::string& address);

 private:
  void refuseUnlessFree(const TokenBucket& bucket, const std::string& address, SteadyTime now);

  const Clock& clock_;
  std::string things_;
  std::string advice_;
  std::mutex mutex_;
  std::map<std::string, TokenBucket, std::less<>> addresses_;
  WarningLimit warnings_;
};

}  // namespace swarm
