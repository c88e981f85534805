// StoreSecondFactors: SecondFactors on the store. A part of the Auth that makeAuth() returns.
#pragma once

#include <functional>

#include "auth/second_factor/pending_sign_ins.h"
#include "auth/second_factor/second_factors.h"

namespace swarm {

class StoreSecondFactors final : public SecondFactors {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    std::string issuer;  ///< the name of the account in the app
    SecondFactorPolicy policy;
    /// The user with this password, behind the throttle; nothing: wrong, unknown or disabled.
    std::function<awaitable<std::optional<UserRecord>>(std::string user, Secret password, LoginOrigin origin)> check;
    std::function<awaitable<UserRecord>(std::string user, Secret password, LoginOrigin origin)> requireSignIn;  ///< the same, or throws
    std::function<void(const std::string& user, const LoginOrigin& origin, bool is_recovery)> attempt;  ///< throws Error(TooManyRequests)
    std::function<void(const std::string& user, const LoginOrigin& origin, bool is_recovery)> succeeded;
    std::function<awaitable<void>(std::string user, LoginOrigin origin, Error error)> refuse;            ///< records a refusal
    std::function<awaitable<LoginResult>(UserRecord user, std::string kind, LoginOrigin origin)> begin;  ///< starts a session
    std::function<awaitable<void>(std::string user)> endSessions;
  };
  explicit StoreSecondFactors(Parts parts) : parts_(std::move(parts)), pending_(parts_.clock) {}

  bool isRequired(const UserRecord& user) const;
  awaitable<SecondFactorStatus> status(UserRecord user) override;
  awaitable<SignInStep> beginSignIn(std::string user, Secret password, LoginOrigin origin) override;
  awaitable<SignInStep> afterPassword(UserRecord user, std::string kind, LoginOrigin origin, OfferEnrolment offer) override;
  awaitable<LoginResult> signIn(std::string ticket, std::string code, LoginOrigin origin) override;
  awaitable<bool> useCode(std::string user, std::string code, LoginOrigin origin) override;
  awaitable<Enrolment> enrol(Principal principal, Secret password, LoginOrigin origin) override;
  Enrolment enrolment(std::string_view ticket) const override;
  bool isEnrolling(std::string_view ticket, std::string_view user) const override;
  awaitable<Enrolled> confirm(std::string ticket, std::string code, LoginOrigin origin) override;
  awaitable<void> disable(Principal principal, Secret password, std::string code, LoginOrigin origin) override;
  awaitable<void> reset(std::string user) override;

 private:
  PendingSignIn require(std::string_view ticket) const;
  Enrolment enrolmentOf(const PendingSignIn& pending, std::string ticket) const;
  awaitable<UserRecord> requirePassword(const Principal& principal, Secret password, LoginOrigin origin);

  Parts parts_;
  PendingSignIns pending_;
};

}  // namespace swarm
