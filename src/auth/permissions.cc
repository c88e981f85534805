#include "auth/permissions.h"

#include <algorithm>

#include "model/codec/codec.h"

namespace swarm {
namespace {

struct RoleTexts {
  Role role;
  std::string_view summary;
};
constexpr RoleTexts kRoleTexts[] = {
    {Role::viewer, "Of earlier versions, and no longer assigned: sees what is theirs, and changes nothing"},
    {Role::user, "Full use of their own workspaces"},
    {Role::auditor, "Sees everything, changes nothing, and is never inside a workspace"},
    {Role::operator_, "Operates the workspaces and volumes of all users and the providers; never inside a workspace, no users"},
    {Role::admin, "Everything"},
};

struct PermissionTexts {
  Permission permission;
  std::string_view name;
  std::string_view summary;
  std::optional<AccessScope> scope;  ///< of an access token; nothing: sessions alone
  Reach reach[kRoles.size()];        ///< in the order of kRoles: viewer, user, auditor, operator, admin
};
constexpr auto kReading = AccessScope::read, kWriting = AccessScope::write, kEntering = AccessScope::inside,
               kAdministering = AccessScope::admin;
using enum Reach;
constexpr PermissionTexts kPermissionTable[] = {
    {Permission::Public, "public", "Works without a sign-in", kReading, {All, All, All, All, All}},
    {Permission::SignedIn, "signed in", "Who one is, the providers, and the totals of the swarm", kReading, {All, All, All, All, All}},
    {Permission::Session,
     "session",
     "Sign out, stay signed in, and sign another browser in by a link",
     std::nullopt,
     {All, All, All, All, All}},
    {Permission::ReadUsers,
     "read users",
     "See a user: role, state, sessions, access tokens, SSH keys; a group is its members' own",
     kReading,
     {Own, Own, All, Own, All}},
    {Permission::Account,
     "account",
     "Change a user's password and settings, end their sessions, make and revoke their access tokens and SSH keys",
     kAdministering,
     {Own, Own, Own, Own, All}},
    {Permission::Read,
     "read",
     "See that an object exists, its state, its configuration and its log",
     kReading,
     {Viewers, Viewers, All, All, All}},
    {Permission::Create, "create", "Create a workspace; *all*: for another user", kWriting, {None, Own, None, Own, All}},
    {Permission::Manage, "manage", "Start, stop, resize, move, restore, delete; snapshots, volumes", kWriting, {None, Own, None, All, All}},
    {Permission::Configure,
     "configure",
     "Change the environment of what runs inside, its network (open ports too), and release a reserved name",
     kEntering,
     {None, Own, None, Own, All}},
    {Permission::Inside,
     "inside",
     "Enter: VS Code, commands, ports, files, archives, tokens of the agent",
     kEntering,
     {None, Editors, None, None, All}},
    {Permission::Share, "share", "Give other users access to a workspace", kAdministering, {None, Own, None, Own, All}},
    {Permission::ReadServer, "read server", "Metrics, warnings and errors of the server", kReading, {None, None, All, All, All}},
    {Permission::ManageProviders,
     "manage providers",
     "Check configurations of providers, and use images that `allowedImages` does not list",
     kAdministering,
     {None, None, None, All, All}},
    {Permission::ManageUsers,
     "manage users",
     "Create, invite, disable and delete users, change their roles, manage groups, and replace the key of tokens and tokens of providers",
     kAdministering,
     {None, None, None, None, All}},
    {Permission::ReadAudit, "read audit", "List, export and verify the audit log", kReading, {None, None, All, None, All}},
};

constexpr bool isInOrder() {
  for (std::size_t i = 0; i < kRoles.size(); ++i)
    if (kRoleTexts[i].role != kRoles[i] || static_cast<std::size_t>(kRoles[i]) != i) return false;
  for (std::size_t i = 0; i < kPermissions.size(); ++i)
    if (kPermissionTable[i].permission != kPermissions[i] || static_cast<std::size_t>(kPermissions[i]) != i) return false;
  return std::size(kRoleTexts) == kRoles.size() && std::size(kPermissionTable) == kPermissions.size();
}
static_assert(isInOrder());
// A relation is within a reach when it is the smaller number.
static_assert(static_cast<int>(Own) == static_cast<int>(Relation::Own) + 1 &&
              static_cast<int>(All) == static_cast<int>(Relation::Other) + 1);

const RoleTexts& textsOf(Role role) { return kRoleTexts[static_cast<std::size_t>(role)]; }
const PermissionTexts& rowOf(Permission permission) { return kPermissionTable[static_cast<std::size_t>(permission)]; }

bool isInScope(const Principal& principal, Permission permission) {
  if (!principal.token) return true;
  const auto needed = scopeOf(permission);
  // Users and other tokens would not have the limits of this one.
  const bool is_limited = principal.token->maxInstances > 0 || !principal.token->namePrefix.empty();
  if (is_limited && (permission == Permission::Account || permission == Permission::ManageUsers)) return false;
  return needed && std::ranges::find(principal.token->scopes, *needed) != principal.token->scopes.end();
}

}  // namespace

std::string_view nameOf(Role role) { return enumName(role); }
std::string_view summaryOf(Role role) { return textsOf(role).summary; }
std::string_view nameOf(Permission permission) { return rowOf(permission).name; }
std::string_view summaryOf(Permission permission) { return rowOf(permission).summary; }

std::optional<Role> roleFromName(std::string_view name) { return enumFromName<Role>(name); }

Reach reachOf(Role role, Permission permission) { return rowOf(permission).reach[static_cast<std::size_t>(role)]; }

std::optional<AccessScope> scopeOf(Permission permission) { return rowOf(permission).scope; }

const Grant* grantFor(const Principal& principal, const InstanceId& instance) {
  if (!principal.grants || instance.empty()) return nullptr;
  const auto found = principal.grants->find(instance);
  return found == principal.grants->end() ? nullptr : &found->second;
}

Relation relationOf(const Principal& principal, std::string_view owner, const InstanceId& instance) {
  if (!owner.empty() && owner == principal.user) return Relation::Own;
  const Grant* grant = grantFor(principal, instance);
  if (!grant) return Relation::Other;
  return grant->access == ShareAccess::editor ? Relation::SharedAsEditor : Relation::SharedAsViewer;
}

bool isAllowed(const Principal& principal, Permission permission, Relation relation) {
  if (permission == Permission::Public) return true;
  if (principal.user.empty() || !isInScope(principal, permission)) return false;
  Reach reach = reachOf(principal.role, permission);
  // Those who may not enter the workspaces of others enter what is shared with them. The environment of a program decides which code it
  // runs, a share lets another user enter the workspace, and who creates one for another user chooses image, command and setup, and may
  // attach a volume of that user.
  if (reach == Reach::All && !principal.mayEnterOthers) {
    if (permission == Permission::Inside) reach = Reach::Editors;
    if (permission == Permission::Configure || permission == Permission::Share || permission == Permission::Create) reach = Reach::Own;
  }
  return static_cast<int>(relation) < static_cast<int>(reach);
}

bool isAllowed(const Principal& principal, Permission permission, std::string_view owner, const InstanceId& instance) {
  return isAllowed(principal, permission, relationOf(principal, owner, instance));
}

bool mayOpenPort(const Principal& principal, PortLevel level, std::string_view owner, const InstanceId& instance) {
  switch (level) {
    case PortLevel::everyone:
      return true;
    case PortLevel::signedIn:
      return isAllowed(principal, Permission::SignedIn, Relation::Other);
    case PortLevel::shared:
      return isAllowed(principal, Permission::Inside, owner, instance);
    case PortLevel::owner:
      break;
  }
  return isAllowed(principal, Permission::Inside, owner, instance) && isAllowed(principal, Permission::Configure, owner, instance);
}

Permission permissionToSet(PortLevel level) {
  return level == PortLevel::signedIn || level == PortLevel::everyone ? Permission::Configure : Permission::Inside;
}

std::string_view refusalOf(const Principal& principal, Permission permission) {
  if (isInScope(principal, permission)) return "Your role does not allow this.";
  return scopeOf(permission) ? "The scopes of this access token do not allow this."
                             : "An access token does not allow this; it requires a session. Sign in.";
}

std::string_view namePrefixOf(const Principal& principal) {
  return principal.token ? std::string_view(principal.token->namePrefix) : std::string_view();
}

bool covers(const Principal& principal, std::string_view instance_name) { return instance_name.starts_with(namePrefixOf(principal)); }

bool canSee(const Principal& principal, std::string_view owner, const InstanceId& instance) {
  return isAllowed(principal, Permission::Read, owner, instance);
}

}  // namespace swarm
