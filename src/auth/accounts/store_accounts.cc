#include "auth/accounts/store_accounts.h"

#include <algorithm>

#include "async/attempt.h"
#include "audit/audit.h"
#include "auth/accounts/names.h"
#include "auth/entry.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

std::string digestOf(std::string_view code) { return toHex(sha256(code)); }

}  // namespace

void StoreAccounts::load(const std::vector<UserRecord>& users) {
  for (const UserRecord& user : users) remember(user);
}

void StoreAccounts::remember(const UserRecord& user) {
  parts_.sessions.setUser(user);
  const std::lock_guard lock(mutex_);
  if (user.inviteDigest.empty())
    invitations_.erase(user.name);
  else
    invitations_[user.name] = {user.inviteDigest, user.inviteExpires};
}

awaitable<UserRecord> StoreAccounts::change(std::string name, UserChange change) {
  const bool revokes_credentials = change.revokesCredentials;
  UserRecord changed = co_await parts_.store.changeUser(std::move(name), std::move(change));
  remember(changed);
  if (revokes_credentials) parts_.forgetCredentials(changed.name);
  parts_.noteRevocation();
  co_return changed;
}

awaitable<std::vector<UserRecord>> StoreAccounts::list() { return parts_.store.listUsers(); }

awaitable<std::optional<UserRecord>> StoreAccounts::find(std::string name) { return parts_.store.getUser(std::move(name)); }

awaitable<void> StoreAccounts::requirePerson(std::string name) {
  const auto user = co_await parts_.store.getUser(name);
  if (user && user->kind == UserKind::service)
    throw Error(ErrorCode::Conflict, format("{} is a service account: it has access tokens, and no password.", name));
}

awaitable<UserRecord> StoreAccounts::create(std::string name, Role role, Secret password, UserKind kind) {
  requireAccountName("user", name);
  if (kind == UserKind::service && !password.empty())
    throw Error(ErrorCode::InvalidArgument, "A service account has access tokens, and no password.")
        .withField("/password", "must be absent for a service");
  UserRecord user{.name = name, .passwordHash = "", .role = role, .createdAt = parts_.clock.now(), .kind = kind};
  if (!password.empty()) {
    requirePassword(password);
    user.passwordHash = co_await parts_.passwords.hash(password);
  }
  co_await parts_.store.insertUser(user);
  remember(user);
  log::info("user created", {{"user", name}, {"role", nameOf(user.role)}});
  co_return user;
}

awaitable<UserRecord> StoreAccounts::createFor(Identity identity, Role role) {
  requireAccountName("user", identity.user);
  UserRecord user{.name = identity.user, .passwordHash = "", .role = role, .createdAt = parts_.clock.now()};
  co_await parts_.store.identities().putWithUser(identity, user);
  remember(user);
  log::info("user created by an identity provider", {{"user", user.name}, {"role", nameOf(user.role)}, {"provider", identity.provider}});
  co_return user;
}

awaitable<Invitation> StoreAccounts::invite(std::string name) {
  co_await requirePerson(name);
  Invitation invitation{Secret(toBase64Url(randomBytes(32))), parts_.clock.now() + kInvitationLife};
  co_await change(name, {.inviteDigest = digestOf(invitation.code.reveal()), .inviteExpires = invitation.expiresAt});
  log::info("user invited", {{"user", name}});
  co_return invitation;
}

std::optional<std::string> StoreAccounts::invited(std::string_view code) const {
  const std::string digest = digestOf(code);
  const std::lock_guard lock(mutex_);
  for (const auto& [user, open] : invitations_)
    if (open.digest == digest && parts_.clock.now() < open.expiresAt) return user;
  return std::nullopt;
}

awaitable<std::optional<SignInStep>> StoreAccounts::acceptInvitation(std::string code, Secret password, LoginOrigin origin,
                                                                     OfferEnrolment offer) {
  const auto user = invited(code);
  if (!user) co_return std::nullopt;
  requirePassword(password);
  // A hash costs as much as the check of a password.
  const std::string address = net::addressGroup(origin.address);
  const LoginAttempt attempt{.name = *user, .address = address};
  parts_.throttle.attempt(attempt);
  std::string hash = co_await parts_.passwords.hash(password);
  std::optional<UserRecord> changed;
  auto accept = [&]() -> awaitable<void> {
    changed = co_await change(*user, {.passwordHash = std::move(hash),
                                      .inviteDigest = "",
                                      .ifInvited = digestOf(code),
                                      .endsSessions = true,
                                      .revokesCredentials = true});
  };
  const auto invitee = co_await find(*user);
  if (!invitee) co_return std::nullopt;
  AuditRecord record = recordByUser(*invitee, origin);
  record.action = "acceptInvitation";
  record.kind = "user";
  record.object = *user;
  const auto accepted = co_await async::attempt(recordChange(parts_.audit, std::move(record), accept()));
  if (!accepted && accepted.error().code() != ErrorCode::NotFound) throw accepted.error();
  if (!accepted) co_return std::nullopt;  // used or withdrawn while the password was hashed
  parts_.throttle.succeeded(attempt);
  log::info("invitation accepted", {{"user", *user}});
  co_return co_await parts_.goOn(std::move(*changed), SessionKind::invitation, std::move(origin), offer);
}

awaitable<UserRecord> StoreAccounts::setRole(std::string name, Role role) {
  UserRecord changed = co_await change(name, {.role = role, .endsSessions = true});
  log::info("role of a user changed", {{"user", name}, {"role", nameOf(changed.role)}});
  co_return changed;
}

awaitable<UserRecord> StoreAccounts::setDisabled(std::string name, bool disabled) {
  UserChange wanted{.disabled = disabled, .endsSessions = true};
  if (disabled) wanted.inviteDigest = "";
  UserRecord changed = co_await change(name, std::move(wanted));
  log::info(disabled ? "user disabled" : "user enabled", {{"user", name}});
  co_return changed;
}

awaitable<void> StoreAccounts::resetPassword(std::string name, Secret password) {
  co_await requirePerson(name);
  requirePassword(password);
  std::string hash = co_await parts_.passwords.hash(password);
  co_await change(name, {.passwordHash = std::move(hash), .inviteDigest = "", .endsSessions = true, .revokesCredentials = true});
  log::info("password of a user reset", {{"user", name}});
}

awaitable<void> StoreAccounts::changePassword(Principal principal, Secret present, Secret password, LoginOrigin origin) {
  requirePassword(password);
  if (!co_await parts_.signIns.check(principal.user, std::move(present), std::move(origin), Caller::known()))
    throw Error(ErrorCode::InvalidArgument, "The present password is wrong.").withField("/oldPassword", "is wrong");
  std::string hash = co_await parts_.passwords.hash(password);
  co_await change(principal.user, {.passwordHash = std::move(hash), .inviteDigest = "", .onlySession = principal.sessionId});
  parts_.sessions.removeOthers(principal.user, principal.sessionId);
  parts_.noteRevocation();
  log::info("password changed", {{"user", principal.user}});
}

awaitable<void> StoreAccounts::endSessions(std::string name) {
  co_await change(name, {.endsSessions = true});
  log::info("signed out everywhere", {{"user", name}});
}

void StoreAccounts::forget(const std::string& name) {
  parts_.sessions.removeUser(name);
  parts_.forgetCredentials(name);
  {
    const std::lock_guard lock(mutex_);
    invitations_.erase(name);
  }
  parts_.noteRevocation();
  log::info("user deleted", {{"user", name}});
}

awaitable<Accounts::Recovered> StoreAccounts::recoverAdmin() {
  const std::vector<UserRecord> users = co_await parts_.store.listUsers();
  const auto is_admin = [](const UserRecord& user) { return user.role == Role::admin && !user.disabled && user.kind == UserKind::person; };
  auto chosen = std::ranges::find(users, "admin", &UserRecord::name);
  if (chosen == users.end()) chosen = std::ranges::find_if(users, is_admin);
  if (chosen == users.end()) throw Error(ErrorCode::NotFound, "There is no administrator yet. Start the server once: it creates one.");
  Recovered recovered{chosen->name, makePassword()};
  std::string hash = co_await parts_.passwords.hash(recovered.password);
  co_await change(recovered.name, {.role = Role::admin,
                                   .passwordHash = std::move(hash),
                                   .disabled = false,
                                   .inviteDigest = "",
                                   .endsSessions = true,
                                   .revokesCredentials = true});
  co_await parts_.store.deleteSecondFactor(recovered.name);
  co_return recovered;
}

}  // namespace swarm
