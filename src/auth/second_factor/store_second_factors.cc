#include "auth/second_factor/store_second_factors.h"

#include <algorithm>

#include "async/attempt.h"
#include "auth/second_factor/recovery_codes.h"
#include "auth/second_factor/totp.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxCodeBytes = 64;

/// As apps show codes: "123 456".
std::string withoutSpaces(std::string code) {
  std::erase(code, ' ');
  return code;
}

bool isOfApp(std::string_view code) {
  return code.size() == totp::kDigits && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

Error wrongCode(ErrorCode code) {
  return Error(code, "The code is wrong, or was used before. Enter the one that the app shows now, or a recovery code.")
      .withField("/code", "is wrong");
}

}  // namespace

bool StoreSecondFactors::isRequired(const UserRecord& user) const {
  if (user.kind == UserKind::service) return false;
  return parts_.policy == SecondFactorPolicy::all || (parts_.policy == SecondFactorPolicy::admins && user.role == Role::admin);
}

awaitable<SecondFactorStatus> StoreSecondFactors::status(UserRecord user) {
  SecondFactorStatus status{.required = isRequired(user)};
  if (const auto factor = co_await parts_.store.getSecondFactor(user.name)) {
    status.enabled = true;
    status.since = factor->since;
    status.recoveryCodes = static_cast<std::int64_t>(factor->recoveryDigests.size());
  }
  co_return status;
}

// --- Sign-in ---

awaitable<SignInStep> StoreSecondFactors::beginSignIn(std::string user, Secret password, LoginOrigin origin) {
  UserRecord record = co_await parts_.signIns.require(std::move(user), std::move(password), origin);
  co_return co_await afterPassword(std::move(record), SessionKind::password, std::move(origin), OfferEnrolment::No);
}

awaitable<SignInStep> StoreSecondFactors::afterPassword(UserRecord user, SessionKind kind, LoginOrigin origin, OfferEnrolment offer) {
  if (user.secondFactor) {
    std::string name = user.name;
    co_return CodeRequired{std::move(name),
                           pending_.add({.user = std::move(user), .kind = kind, .address = net::addressGroup(origin.address)})};
  }
  if (isRequired(user) || offer == OfferEnrolment::Yes) {
    PendingSignIn pending{.user = std::move(user), .kind = kind, .seed = totp::makeSeed(), .address = net::addressGroup(origin.address)};
    co_return enrolmentOf(pending, pending_.add(pending));
  }
  co_return co_await parts_.signIns.begin(std::move(user), {.kind = kind, .origin = std::move(origin)});
}

awaitable<LoginResult> StoreSecondFactors::signIn(std::string ticket, std::string code, LoginOrigin origin) {
  const PendingSignIn pending = require(ticket);
  const std::string user = pending.user.name;
  if (!pending.seed.empty() || !pending.kind) throw Error(ErrorCode::NotFound, "This is not a sign-in.");
  const auto used = co_await async::attempt(useCode(user, std::move(code), origin));
  if (!used || !*used) {
    const Error refusal = used ? wrongCode(ErrorCode::Unauthenticated) : used.error();
    co_await parts_.signIns.refuse(user, std::move(origin), refusal);
    throw refusal;
  }
  if (!pending_.take(ticket)) throw Error(ErrorCode::NotFound, "The sign-in took too long. Begin again with the password.");
  co_return co_await parts_.signIns.begin(pending.user, {.kind = withCode(*pending.kind), .origin = std::move(origin)});
}

awaitable<bool> StoreSecondFactors::useCode(std::string user, std::string code, LoginOrigin origin) {
  code = withoutSpaces(std::move(code));
  const auto proof = isOfApp(code) ? SignIns::Proof::AppCode : SignIns::Proof::RecoveryCode;
  parts_.signIns.attempt(user, origin, proof);
  if (code.size() > kMaxCodeBytes) co_return false;
  const auto factor = co_await parts_.store.getSecondFactor(user);
  if (!factor) co_return false;
  bool used = false;
  if (proof == SignIns::Proof::RecoveryCode) {
    used = co_await parts_.store.useRecoveryCode(user, recoveryDigest(code));
    if (used)
      log::warning("recovery code used", {{"user", user}, {"left", factor->recoveryDigests.size() - 1}, {"address", origin.address}});
  } else if (const auto step = totp::match(factor->seed, code, parts_.clock.now(), factor->lastStep)) {
    used = co_await parts_.store.useCodeStep(user, *step);
  }
  if (used)
    parts_.signIns.succeeded(user, origin, proof);
  else
    log::warning("code of a second factor refused", {{"user", user}, {"address", origin.address}});
  co_return used;
}

PendingSignIn StoreSecondFactors::require(std::string_view ticket) const {
  auto pending = pending_.find(ticket);
  if (!pending)
    throw Error(ErrorCode::NotFound,
                format("This took longer than {} minutes, or was done before. Begin again with the password.", kPendingSignInLife.count()));
  return std::move(*pending);
}

// --- Setting up and removing ---

Enrolment StoreSecondFactors::enrolmentOf(const PendingSignIn& pending, std::string ticket) const {
  return {pending.user.name, std::move(ticket), Secret(totp::toBase32(pending.seed.reveal())),
          totp::uriOf(pending.seed, parts_.issuer, pending.user.name)};
}

Enrolment StoreSecondFactors::enrolment(std::string_view ticket) const {
  const PendingSignIn pending = require(ticket);
  if (pending.seed.empty()) throw Error(ErrorCode::NotFound, "This does not set up a second factor.");
  return enrolmentOf(pending, std::string(ticket));
}

bool StoreSecondFactors::isEnrolling(std::string_view ticket, std::string_view user) const {
  const auto pending = pending_.find(ticket);
  return pending && pending->user.name == user && !pending->kind && !pending->seed.empty();
}

awaitable<UserRecord> StoreSecondFactors::requirePassword(const Principal& principal, Secret password, LoginOrigin origin) {
  auto user = co_await parts_.signIns.check(principal.user, std::move(password), std::move(origin), Caller::known());
  if (!user) throw Error(ErrorCode::InvalidArgument, "The password is wrong.").withField("/password", "is wrong");
  co_return std::move(*user);
}

awaitable<Enrolment> StoreSecondFactors::enrol(Principal principal, Secret password, LoginOrigin origin) {
  UserRecord user = co_await requirePassword(principal, std::move(password), origin);
  if (user.secondFactor)
    throw Error(ErrorCode::Conflict, "There is a second factor already. Disable it first: swarm second-factor disable.");
  PendingSignIn pending{.user = std::move(user), .seed = totp::makeSeed(), .address = net::addressGroup(origin.address)};
  co_return enrolmentOf(pending, pending_.add(pending));
}

awaitable<SecondFactors::Enrolled> StoreSecondFactors::confirm(std::string ticket, std::string code, LoginOrigin origin) {
  const PendingSignIn pending = require(ticket);
  const std::string user = pending.user.name;
  if (pending.seed.empty()) throw Error(ErrorCode::NotFound, "This does not set up a second factor.");
  const auto step = totp::match(pending.seed, withoutSpaces(std::move(code)), parts_.clock.now(), 0);
  if (!step)
    throw Error(ErrorCode::InvalidArgument, "The code is wrong. Check the clock of the device, and enter the code that the app shows now.")
        .withField("/code", "is wrong");
  if (!pending_.take(ticket)) throw Error(ErrorCode::NotFound, "This was done before.");
  Enrolled enrolled{.recoveryCodes = makeRecoveryCodes(), .login = std::nullopt};
  SecondFactorRecord factor{.user = user, .seed = pending.seed, .since = parts_.clock.now(), .lastStep = *step};
  for (const std::string& recovery : enrolled.recoveryCodes) factor.recoveryDigests.push_back(recoveryDigest(recovery));
  co_await parts_.store.insertSecondFactor(std::move(factor), pending.user);
  log::info("second factor set up", {{"user", user}});
  if (!pending.kind) co_return enrolled;
  UserRecord record = pending.user;
  record.secondFactor = true;
  enrolled.login = co_await parts_.signIns.begin(std::move(record), {.kind = withCode(*pending.kind), .origin = std::move(origin)});
  co_return enrolled;
}

awaitable<void> StoreSecondFactors::disable(Principal principal, Secret password, std::string code, LoginOrigin origin) {
  const UserRecord user = co_await requirePassword(principal, std::move(password), origin);
  if (!user.secondFactor) throw Error(ErrorCode::Conflict, "There is no second factor.");
  if (isRequired(user))
    throw Error(
        ErrorCode::Conflict,
        "This server requires a second factor. An administrator can reset it, so that you set up another one at your next sign-in.");
  if (!co_await useCode(user.name, std::move(code), std::move(origin))) throw wrongCode(ErrorCode::InvalidArgument);
  co_await parts_.store.deleteSecondFactor(user.name);
  log::info("second factor disabled", {{"user", user.name}});
}

awaitable<void> StoreSecondFactors::reset(std::string user) {
  co_await parts_.store.deleteSecondFactor(user);
  co_await parts_.endSessions(user);
  log::info("second factor of a user reset", {{"user", user}});
}

}  // namespace swarm
