#include "auth/sign_in/sign_ins.h"

#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "model/codec/codec.h"
#include "net/ip_address.h"

namespace swarm {

/// For the throttle.
class SignIns::Attempt {
 public:
  Attempt(const Parts& parts, std::string_view user, const LoginOrigin& origin, Proof proof)
      : throttle_(parts.throttle), address_(net::addressGroup(origin.address)) {
    const bool is_code = proof == Proof::AppCode;
    const Device device = parts.credentials.deviceOf(origin.device, user);
    if (!is_code || device.hasSecondFactor) device_ = device.id;
    attempt_ = {.name = user, .address = address_, .device = device_, .isCode = is_code};
  }
  void begin() { throttle_.attempt(attempt_); }
  void succeeded() { throttle_.succeeded(attempt_); }
  void withdraw() { throttle_.withdraw(attempt_); }
  bool isOfKnownDevice() const { return !device_.empty(); }

 private:
  LoginThrottle& throttle_;
  const std::string address_;
  std::string device_;
  LoginAttempt attempt_;
};

void SignIns::attempt(const std::string& user, const LoginOrigin& origin, Proof proof) { Attempt(parts_, user, origin, proof).begin(); }
void SignIns::succeeded(const std::string& user, const LoginOrigin& origin, Proof proof) {
  Attempt(parts_, user, origin, proof).succeeded();
}

awaitable<std::optional<UserRecord>> SignIns::check(std::string user, Secret password, LoginOrigin origin, Caller caller) {
  Attempt attempt(parts_, user, origin, Proof::Password);
  attempt.begin();
  if (attempt.isOfKnownDevice()) caller = Caller::known();
  auto record = co_await parts_.store.getUser(user);
  bool small = password.reveal().size() <= kMaxPasswordBytes;
  bool right = co_await parts_.passwords.verify(record ? record->passwordHash : "", small ? password : Secret(), caller);
  if (!right || !record || !small || password.empty() || record->disabled) {
    // People type passwords into the field for the name.
    log::warning("sign-in failed", {{"user", record ? record->name : "(unknown)"}, {"address", origin.address}});
    co_return std::nullopt;
  }
  // Who knows the password only must not be able to forget failed codes.
  if (record->secondFactor)
    attempt.withdraw();
  else
    attempt.succeeded();
  co_return record;
}

awaitable<UserRecord> SignIns::require(std::string user, Secret password, LoginOrigin origin) {
  const auto checked = co_await async::attempt(check(user, std::move(password), origin, Caller::unknown(origin.address)));
  std::optional<Error> refusal;
  if (!checked)
    refusal = checked.error();
  else if (!*checked)
    refusal.emplace(ErrorCode::Unauthenticated, "The name or the password is wrong.");
  if (!refusal) co_return **checked;
  co_await refuse(std::move(user), std::move(origin), *refusal);
  throw *refusal;
}

awaitable<LoginResult> SignIns::begin(UserRecord user, Start start) {
  const std::int64_t generation = user.tokenGeneration;
  const std::optional<SessionRecord>& maker = start.maker;
  SessionRecord session{.id = newSessionId(generation),
                        .user = user.name,
                        .expiresAt = std::chrono::floor<std::chrono::seconds>(parts_.clock.now()) + start.life,
                        .kind = start.kind,
                        .createdAt = parts_.clock.now(),
                        .signedInAt = maker ? maker->signedInAt : parts_.clock.now(),
                        .follows = maker ? maker->follows : start.follows};
  if (session.kind != SessionKind::machine)
    log::info("signed in", {{"user", user.name}, {"by", enumName(session.kind)}, {"address", start.origin.address}});
  parts_.sessions.prune();
  if (auto oldest = parts_.sessions.oldestOfTooMany(user.name)) co_await forget(std::move(*oldest));
  LoginResult result;
  result.principal = parts_.sessions.principalOf(session, user.role);
  const std::string maker_id = maker ? maker->id : "";
  co_await parts_.records.begin(result.principal, std::string(enumName(session.kind)), std::move(start.origin), session.follows.provider,
                                maker_id);
  // In memory first: a change of the password that follows in the store ends it there too.
  parts_.sessions.add(session, generation);
  const auto started = co_await async::attempt(parts_.store.startSession(session, std::move(user), maker_id));
  if (!started) {
    parts_.sessions.remove(session.id);
    if (started.error().code() != ErrorCode::NotFound) throw started.error();
    throw Error(ErrorCode::Unauthenticated, "The account has just been changed. Sign in again.");
  }
  result.token = parts_.credentials.apiToken(result.principal);
  co_return result;
}

awaitable<std::optional<LoginResult>> SignIns::beginAfter(Principal principal, SessionKind kind, LoginOrigin origin) {
  const auto maker = parts_.sessions.record(principal.sessionId);
  auto user = co_await parts_.store.getUser(principal.user);
  // Their maker may have signed out everywhere in the meantime.
  if (!maker || !user || user->disabled || generationOf(maker->id) != user->tokenGeneration) co_return std::nullopt;
  // A chain of such sessions ends with the sign-in that it began with.
  const SystemTime last = std::max(maker->expiresAt, maker->signedInAt + kMaxSessionLife);
  const auto life = std::min<std::chrono::seconds>(kSessionLife, std::chrono::floor<std::chrono::seconds>(last - parts_.clock.now()));
  co_return co_await begin(std::move(*user), {.kind = kind, .origin = std::move(origin), .life = life, .maker = maker});
}

awaitable<void> SignIns::endSession(SessionRecord session) {
  // In memory first: when the disk is full, the session still ends, until the next start of the server.
  parts_.sessions.remove(session.id);
  parts_.noteRevocation();
  session.revoked = true;
  std::string user = session.user;
  co_await parts_.store.putSession(std::move(session));
  log::info("signed out", {{"user", user}});
}

/// Ends a session without keeping its row: a client that signs in again and again must not fill the disk.
awaitable<void> SignIns::forget(SessionRecord session) {
  session.expiresAt = parts_.clock.now();
  co_await endSession(std::move(session));
  co_await parts_.store.pruneSessions(parts_.clock.now());
}

}  // namespace swarm
