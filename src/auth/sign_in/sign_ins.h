// SignIns: checks passwords behind the throttle, and starts the sessions that sign-ins of each kind lead to. A part of the Auth that
// makeAuth() returns.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "auth/limits/throttle.h"
#include "auth/passwords.h"
#include "auth/session/session_credentials.h"
#include "auth/sign_in/sign_in_records.h"

namespace swarm {

class SignIns {
 public:
  struct Parts {
    Store& store;
    const Clock& clock;
    SessionTable& sessions;
    const SessionCredentials& credentials;
    Passwords& passwords;
    LoginThrottle& throttle;
    SignInRecords& records;
    std::function<void()> noteRevocation;
  };
  explicit SignIns(Parts parts) : parts_(std::move(parts)) {}

  /// The user with this password; nothing: wrong, unknown or disabled. The time does not depend on whether the user exists, or is disabled.
  /// Throws Error(TooManyRequests). A known `caller`: the user is signed in, and confirms the password.
  awaitable<std::optional<UserRecord>> check(std::string user, Secret password, LoginOrigin origin, Caller caller);
  /// The same, or Error(Unauthenticated), which is recorded.
  awaitable<UserRecord> require(std::string user, Secret password, LoginOrigin origin);

  /// What is counted as a failed attempt, until it has succeeded. Throws Error(TooManyRequests).
  enum class Proof { Password, RecoveryCode, AppCode };
  void attempt(const std::string& user, const LoginOrigin& origin, Proof proof);
  void succeeded(const std::string& user, const LoginOrigin& origin, Proof proof);
  awaitable<void> refuse(std::string user, LoginOrigin origin, Error error) {
    return parts_.records.refuse(std::move(user), std::move(origin), std::move(error));
  }

  /// How a session starts.
  struct Start {
    SessionKind kind;
    LoginOrigin origin;
    std::chrono::seconds life = kSessionLife;
    std::optional<SessionRecord> maker{};  ///< the session that led to this one
    ProviderSession follows{};             ///< the session at an identity provider that did
  };
  /// For a user as they were when their password, or link, was checked: Error(Unauthenticated) if they have changed since.
  awaitable<LoginResult> begin(UserRecord user, Start start);
  /// Another session of a user whose session led to it; nothing when that has ended.
  awaitable<std::optional<LoginResult>> beginAfter(Principal principal, SessionKind kind, LoginOrigin origin);
  awaitable<void> endSession(SessionRecord session);

 private:
  class Attempt;
  awaitable<void> forget(SessionRecord session);

  Parts parts_;
};

}  // namespace swarm
