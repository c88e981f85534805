// IssuedTokens: the agents' tokens that clients were given. A sign-in that ends takes its tokens along: the agents are told.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "controller/state/core.h"

namespace swarm::control {

/// On the control loop. In memory only: after a restart of the server, tokens issued before it end by expiry (kLongestIssuedLife).
class IssuedTokens {
 public:
  explicit IssuedTokens(Core& core) : core_(core) {}

  /// `counts`: whether the sign-in still does; called on the control loop.
  void note(const std::string& instance_id, const std::string& session, SystemTime expires_at, std::function<bool()> counts);
  /// Some sign-in has ended.
  void check();

 private:
  struct Issued {
    SystemTime expiresAt{};
    std::function<bool()> counts;
  };
  awaitable<void> tell(std::string instance_id, std::string session, SystemTime until);

  Core& core_;
  std::map<std::pair<std::string, std::string>, Issued> issued_;  ///< by instance and session
};

}  // namespace swarm::control
