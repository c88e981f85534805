// SignInRecords: what the audit log has of sign-ins, of the API and of the pages.
#pragma once

#include "auth/auth.h"

namespace swarm {

/// `audit`: null: nothing is recorded.
class SignInRecords {
 public:
  SignInRecords(Audit* audit, Store& store) : audit_(audit), store_(store) {}
  /// Before the session exists. Throws when it cannot be recorded: then there is no session. `by`: the kind of the session, "SSH key" or
  /// "SSH certificate". `provider`: the identity provider whose session it follows, and `by_session`: the session that approved it; empty:
  /// none.
  awaitable<void> begin(Principal principal, std::string by, LoginOrigin origin, std::string provider = {}, std::string by_session = {});
  /// `user`: as it was typed; empty: unknown. `certificate`: of a trusted CA, or null.
  awaitable<void> refuse(std::string user, LoginOrigin origin, Error error, std::shared_ptr<const SshCertificate> certificate = nullptr);

 private:
  Audit* audit_;
  Store& store_;
};

}  // namespace swarm
