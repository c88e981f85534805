// StoreSecondFactors: SecondFactors on the store. A part of the Auth that makeAuth() returns.
#pragma once

#include <functional>

#include "auth/second_factor/pending_sign_ins.h"
#include "auth/second_factor/second_factors.h"
#include "auth/sign_in/sign_ins.h"

namespace swarm {

class StoreSecondFactors final : public SecondFactors {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    SignIns& signIns;
    std::string issuer;  ///< the name of the account in the app
    SecondFactorPolicy policy;
    std::function<awaitable<void>(std::string user)> endSessions;
  };
  explicit StoreSecondFactors(Parts parts) : parts_(std::move(parts)), pending_(parts_.clock) {}

  bool isRequired(const UserRecord& user) const;
  awaitable<SecondFactorStatus> status(UserRecord user) override;
  awaitable<SignInStep> beginSignIn(std::string user, Secret password, LoginOrigin origin) override;
  awaitable<SignInStep> afterPassword(UserRecord user, SessionKind kind, LoginOrigin origin, OfferEnrolment offer) override;
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
