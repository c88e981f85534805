// Second factors in memory: each ticket is "ticket-" + user, the right code 123456, and every user who is in `enabled` has one.
#pragma once

#include <functional>
#include <set>

#include "auth/second_factor/second_factors.h"

namespace swarm::gateway::testing {

class MemorySecondFactors final : public SecondFactors {
 public:
  MemorySecondFactors(Auth& auth, std::function<LoginResult(const std::string&)> sign_in) : auth_(auth), sign_in_(std::move(sign_in)) {}

  static std::string userOf(std::string_view ticket) {
    if (!ticket.starts_with("ticket-")) throw Error(ErrorCode::NotFound, "This took too long.");
    return std::string(ticket.substr(7));
  }
  static Enrolment enrolmentOf(const std::string& user) { return {user, "ticket-" + user, Secret("JBSWY3DP"), Secret("otpauth://totp/x")}; }

  awaitable<SecondFactorStatus> status(UserRecord user) override {
    co_return SecondFactorStatus{.enabled = enabled.contains(user.name), .recoveryCodes = 9};
  }
  awaitable<SignInStep> beginSignIn(std::string user, Secret password, LoginOrigin origin) override {
    LoginResult login = co_await auth_.login(user, std::move(password), std::move(origin), {});
    if (enabled.contains(user)) co_return CodeRequired{user, "ticket-" + user};
    if (required.contains(user)) co_return enrolmentOf(user);
    co_return login;
  }
  awaitable<SignInStep> afterPassword(UserRecord user, SessionKind, LoginOrigin, OfferEnrolment) override { co_return sign_in_(user.name); }
  awaitable<LoginResult> signIn(std::string ticket, std::string code, LoginOrigin) override {
    const std::string user = userOf(ticket);
    requireCode(code, ErrorCode::Unauthenticated);
    co_return sign_in_(user);
  }
  awaitable<bool> useCode(std::string, std::string code, LoginOrigin) override { co_return code == "123456"; }
  awaitable<Enrolment> enrol(Principal principal, Secret password, LoginOrigin) override {
    requirePassword(principal, password);
    co_return enrolmentOf(principal.user);
  }
  Enrolment enrolment(std::string_view ticket) const override { return enrolmentOf(userOf(ticket)); }
  bool isEnrolling(std::string_view ticket, std::string_view user) const override { return userOf(ticket) == user; }
  awaitable<Enrolled> confirm(std::string ticket, std::string code, LoginOrigin) override {
    const std::string user = userOf(ticket);
    requireCode(code, ErrorCode::InvalidArgument);
    enabled.insert(user);
    co_return Enrolled{{"aaaa-bbbb-cccc-dddd"}, required.contains(user) ? std::optional(sign_in_(user)) : std::nullopt};
  }
  awaitable<void> disable(Principal principal, Secret password, std::string code, LoginOrigin) override {
    requirePassword(principal, password);
    requireCode(code, ErrorCode::InvalidArgument);
    enabled.erase(principal.user);
    co_return;
  }
  awaitable<void> reset(std::string user) override {
    enabled.erase(user);
    co_return;
  }

  std::set<std::string> enabled;
  std::set<std::string> required;  ///< users who must set one up

 private:
  static void requireCode(const std::string& code, ErrorCode error) {
    if (code != "123456") throw Error(error, "The code is wrong, or was used before.");
  }
  static void requirePassword(const Principal& principal, const Secret& password) {
    if (password.reveal() != "pw-" + principal.user) throw Error(ErrorCode::InvalidArgument, "The password is wrong.");
  }

  Auth& auth_;
  std::function<LoginResult(const std::string&)> sign_in_;
};

}  // namespace swarm::gateway::testing
