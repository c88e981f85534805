// IssuedTokens: tokens for agents that clients have received. When a session ends, the agents are notified and revoke its tokens.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "controller/state/context.h"

namespace swarm::control {

/// On the control loop. In memory only: after a restart of the server, tokens issued before it end by expiry (kLongestIssuedLife).
class IssuedTokens {
 public:
  explicit IssuedTokens(const Context& context) : context_(context) {}

  /// `is_valid`: whether the session still exists; called on the control loop.
  void note(const InstanceId& instance_id, const std::string& session, SystemTime expires_at, std::function<bool()> is_valid);
  /// To be called when a session may have ended.
  void check();

 private:
  struct Issued {
    SystemTime expiresAt{};
    std::function<bool()> isValid;
  };
  awaitable<void> notify(InstanceId instance_id, std::string session, SystemTime until);

  const Context& context_;
  std::map<std::pair<InstanceId, std::string>, Issued> issued_;  ///< by instance and session
};

}  // namespace swarm::control
