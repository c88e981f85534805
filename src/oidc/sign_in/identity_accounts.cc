#include "oidc/sign_in/identity_accounts.h"

#include <algorithm>

#include "async/attempt.h"
#include "auth/accounts/accounts.h"
#include "auth/entry.h"
#include "auth/sharing/groups.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm::oidc {
namespace {

constexpr std::string_view kWithoutName = "user";
constexpr int kNumbered = 20;  // names "ada-2" to "ada-20", then with random letters

const ProviderConfig* configOf(const Identity& identity, const std::vector<ProviderConfig>& providers) {
  const auto found = std::ranges::find(providers, identity.provider, &ProviderConfig::name);
  return found == providers.end() || found->issuer != identity.issuer ? nullptr : &*found;
}

/// The n-th name to try for a person, from 1.
std::string candidate(const std::string& base, int n) {
  if (n == 1) return base;
  const std::string end = n <= kNumbered ? format("-{}", n) : "-" + toHex(randomBytes(4));
  return base.substr(0, kMaxUserName - end.size()) + end;
}

boost::json::array listOf(const std::vector<std::string>& names) { return boost::json::array(names.begin(), names.end()); }

/// Of what a sign-in changes: by the provider, from the address of the person.
AuditRecord recordOf(std::string_view action, const Identity& identity, const LoginOrigin& origin) {
  AuditRecord record = recordBy({}, origin);
  record.action = action;
  record.kind = "user";
  record.object = identity.user;
  record.after = {{"provider", identity.provider}};
  return record;
}

awaitable<void> createFor(Accounts& accounts, Identity identity, Role role) { co_await accounts.createFor(std::move(identity), role); }

awaitable<void> setRole(Accounts& accounts, std::string user, Role role) { co_await accounts.setRole(std::move(user), role); }

}  // namespace

awaitable<void> IdentityAccounts::load(const std::vector<ProviderConfig>& providers) {
  for (const Identity& identity : co_await identities_.list({})) {
    const ProviderConfig* config = configOf(identity, providers);
    if (config != nullptr && config->managesRoles()) noteManager(identity);
  }
}

std::string IdentityAccounts::managerOf(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  const auto found = managers_.find(user);
  return found == managers_.end() ? std::string() : found->second;
}

void IdentityAccounts::noteManager(const Identity& identity) {
  const std::lock_guard lock(mutex_);
  managers_[identity.user] = identity.provider;
}

/// The account of this verified e-mail address, where the configuration links by it.
awaitable<std::optional<std::string>> IdentityAccounts::linkedUser(const Person& person, const std::vector<ProviderConfig>& providers) {
  const std::string& email = person.mapped.email;
  if (email.empty()) co_return std::nullopt;
  if (const auto link = person.config.links.find(email); link != person.config.links.end()) co_return link->second;
  if (!person.config.linkByEmail) co_return std::nullopt;
  for (const Identity& other : co_await identities_.list({.email = email})) {
    const ProviderConfig* config = configOf(other, providers);
    if (config != nullptr && config->linkByEmail && config->issuer != person.config.issuer) co_return other.user;
  }
  co_return std::nullopt;
}

/// Before the account changes. A verified address may pass to another person, who does not get the account of the former one.
awaitable<void> IdentityAccounts::link(Identity identity, ProviderConfig config, LoginOrigin origin) {
  std::string user = identity.user;
  AuditRecord record = recordOf("linkIdentity", identity, origin);
  record.after["email"] = identity.email;
  const auto linked = co_await async::attempt(recordChange(audit_, std::move(record), identities_.put(std::move(identity))));
  if (linked) co_return;
  if (linked.error().code() != ErrorCode::Conflict) throw linked.error();
  throw Error(ErrorCode::PermissionDenied,
              format("The account {} belongs to another person of {}. Ask an administrator.", user, config.title));
}

awaitable<Identity> IdentityAccounts::create(Identity identity, const Person& person, LoginOrigin origin) {
  const Role role = person.mapped.role.value_or(person.config.defaultRole);
  const std::string base = person.mapped.userName.empty() ? std::string(kWithoutName) : person.mapped.userName;
  for (int n = 1;; ++n) {
    identity.user = candidate(base, n);
    if (n <= kNumbered && co_await auth_.accounts().find(identity.user)) continue;
    AuditRecord record = recordOf("createUser", identity, origin);
    record.after["role"] = nameOf(role);
    const auto made = co_await async::attempt(recordChange(audit_, std::move(record), createFor(auth_.accounts(), identity, role)));
    if (made) co_return identity;
    // A name that another user has or had is never taken over.
    if (made.error().code() != ErrorCode::AlreadyExists || n > kNumbered + 3) throw made.error();
  }
}

/// Of an existing account. A role that cannot be set (of the last administrator) stays.
awaitable<void> IdentityAccounts::applyRole(Identity& identity, Role role, LoginOrigin origin) {
  const auto user = co_await auth_.accounts().find(identity.user);
  if (!user || user->role == role) co_return;
  AuditRecord record = recordOf("changeRole", identity, origin);
  record.before = {{"role", nameOf(user->role)}};
  record.after["role"] = nameOf(role);
  const auto set = co_await async::attempt(recordChange(audit_, std::move(record), setRole(auth_.accounts(), identity.user, role)));
  if (set) co_return;
  if (set.error().code() != ErrorCode::Conflict) throw set.error();
  identity.notes.push_back(format("The role stays: {}", set.error().message()));
}

/// Those that the provider manages. A group of the same name that is not the provider's stays as it is.
awaitable<void> IdentityAccounts::applyGroups(Identity& identity, LoginOrigin origin) {
  Groups& groups = auth_.groups();
  std::erase_if(identity.groups, [&](const std::string& name) {
    const auto group = groups.find(name);
    if (!group || group->managedBy == identity.provider) return false;
    identity.notes.push_back(format("The group {} is not managed by this provider: its members stay.", name));
    return true;
  });
  std::ranges::sort(identity.groups);
  std::vector<std::string> former;
  for (const GroupRecord& group : groups.list())
    if (group.managedBy == identity.provider && std::ranges::find(group.members, identity.user) != group.members.end())
      former.push_back(group.name);
  std::ranges::sort(former);
  if (former == identity.groups) co_return;
  AuditRecord record = recordOf("changeGroups", identity, origin);
  record.before = {{"groups", listOf(former)}};
  record.after["groups"] = listOf(identity.groups);
  co_await recordChange(audit_, std::move(record), groups.setManaged(identity.user, identity.provider, identity.groups));
}

/// What the claims did not decide, in the log and the audit log: once, not at each sign-in.
awaitable<void> IdentityAccounts::report(const Identity& identity, const std::vector<std::string>& former, LoginOrigin origin) {
  for (const std::string& note : identity.notes) {
    if (std::ranges::find(former, note) != former.end()) continue;
    log::warning("claims of an identity provider were not applied",
                 {{"user", identity.user}, {"provider", identity.provider}, {"reason", note}});
    if (audit_ == nullptr) continue;
    AuditRecord record = recordOf("mapClaims", identity, origin);
    record.detail = note;
    co_await audit_->record(std::move(record));
  }
}

awaitable<Identity> IdentityAccounts::settle(Person person, LoginOrigin origin, const std::vector<ProviderConfig>& providers) {
  const ProviderConfig& config = person.config;
  const MappedClaims& mapped = person.mapped;
  Identity identity{.provider = config.name,
                    .issuer = config.issuer,
                    .subject = mapped.subject,
                    .email = mapped.email,
                    .lastSignInAt = clock_.now(),
                    .claims = shownClaims(person.claims),
                    .role = std::string(mapped.role ? nameOf(*mapped.role) : ""),
                    .groups = mapped.groups.value_or(std::vector<std::string>()),
                    .notes = mapped.notes};
  const auto known = co_await identities_.list({.issuer = config.issuer, .subject = mapped.subject});
  std::optional<std::string> user;
  if (!known.empty()) user = known.front().user;
  if (!user) user = co_await linkedUser(person, providers);
  if (!user && !config.createUsers)
    throw Error(
        ErrorCode::PermissionDenied,
        format("There is no account for this person of {}. Ask an administrator for one, or to link an existing one.", config.title));
  if (user) {
    identity.user = *user;
    const auto account = co_await auth_.accounts().find(*user);
    if (!account || account->kind == UserKind::service || account->disabled)
      throw Error(ErrorCode::PermissionDenied, format("The account {} cannot sign in. Ask an administrator.", *user));
    if (known.empty()) co_await link(identity, config, origin);
    if (mapped.role) co_await applyRole(identity, *mapped.role, origin);
  } else {
    identity = co_await create(std::move(identity), person, origin);
  }
  if (mapped.groups) co_await applyGroups(identity, origin);
  co_await identities_.put(identity);
  co_await report(identity, known.empty() ? std::vector<std::string>() : known.front().notes, std::move(origin));
  if (config.managesRoles()) noteManager(identity);
  co_return identity;
}

}  // namespace swarm::oidc
