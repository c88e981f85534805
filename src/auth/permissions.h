// Who may do what: one table of roles, permissions, and relations to the object. docs/access.md prints it.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/types/access_token.h"
#include "model/types/accounts/role.h"
#include "model/types/ids.h"
#include "model/types/sharing.h"

namespace swarm {

struct SshCertificate;

inline constexpr std::array kRoles{Role::viewer, Role::user, Role::auditor, Role::operator_, Role::admin};

std::string_view nameOf(Role role);
std::string_view summaryOf(Role role);  ///< for documents
std::optional<Role> roleFromName(std::string_view name);

/// The relation of a user to an object, from the closest. An object without an owner is everyone's Other.
enum class Relation { Own, SharedAsEditor, SharedAsViewer, Other };

/// What a route, an event or a page requires: each names exactly one. Up to Account, they are about a user's own account.
enum class Permission {
  Public,           ///< no sign-in
  SignedIn,         ///< any role: providers, totals, who one is
  Session,          ///< any role, but not an access token: sign out, extend the session, sign another browser in
  ReadUsers,        ///< see a user, their sessions and access tokens; a group
  Account,          ///< change a user's password and settings, end their sessions, make and delete their access tokens
  Read,             ///< see an object: its state, configuration, log
  Create,           ///< create an instance, for oneself or (Other) for another user
  Manage,           ///< lifecycle, resources, moves, snapshots, volumes, operations
  Configure,        ///< change what runs inside (environment), who reaches it (network), or whose pages its host shows (names)
  Inside,           ///< enter: VS Code, commands, ports, files, tokens
  Share,            ///< give other users access
  ReadServer,       ///< metrics and log of the server
  ManageProviders,  ///< validate provider configurations; images beyond those that the configuration allows
  ManageUsers,      ///< create, invite, disable and delete users, change their roles, and manage groups
  ReadAudit,        ///< the audit log
};
inline constexpr std::array kPermissions{Permission::Public,          Permission::SignedIn,    Permission::Session,  Permission::ReadUsers,
                                         Permission::Account,         Permission::Read,        Permission::Create,   Permission::Manage,
                                         Permission::Configure,       Permission::Inside,      Permission::Share,    Permission::ReadServer,
                                         Permission::ManageProviders, Permission::ManageUsers, Permission::ReadAudit};
std::string_view nameOf(Permission permission);
std::string_view summaryOf(Permission permission);  ///< for documents

/// The relations for which a role has a permission: from Own to this one.
enum class Reach { None, Own, Editors, Viewers, All };
Reach reachOf(Role role, Permission permission);
/// The scope that an access token needs, beside its owner's role; nothing: no token has this permission.
std::optional<AccessScope> scopeOf(Permission permission);

/// Which people with a password must have a second factor.
enum class SecondFactorPolicy { none, admins, all };
BOOST_DESCRIBE_ENUM(SecondFactorPolicy, none, admins, all)

/// `[access]` of the configuration.
struct AccessRules {
  bool adminsMayEnter = true;  ///< workspaces of other users
  bool publicPorts = true;     ///< ports may be opened without a sign-in
  SecondFactorPolicy requireSecondFactor = SecondFactorPolicy::none;
};

/// What a user may do with an instance of another user.
struct Grant {
  ShareAccess access = ShareAccess::viewer;
  SystemTime since{};
  SystemTime until = SystemTime::max();
};
using Grants = std::map<InstanceId, Grant>;

/// The signed-in user of a request.
struct Principal {
  std::string user;
  Role role = Role::viewer;
  std::string sessionId;
  SystemTime expiresAt{};
  bool mayEnterOthers = true;                                   ///< AccessRules::adminsMayEnter
  std::shared_ptr<const Grants> grants = nullptr;               ///< as they were when the credential was verified; null: none
  std::shared_ptr<const AccessToken> token = nullptr;           ///< with which the request came; null: a session
  std::shared_ptr<const SshCertificate> certificate = nullptr;  ///< with which the SSH connection came; null: another credential
};

/// The grant for an instance, or null.
const Grant* grantFor(const Principal& principal, const InstanceId& instance);
/// `owner`: of the object; `instance`: to which it belongs, empty when it belongs to none.
Relation relationOf(const Principal& principal, std::string_view owner, const InstanceId& instance = {});
bool isAllowed(const Principal& principal, Permission permission, Relation relation);
bool isAllowed(const Principal& principal, Permission permission, std::string_view owner, const InstanceId& instance = {});
/// Whether the user may open a port of this level in a browser.
bool mayOpenPort(const Principal& principal, PortLevel level, std::string_view owner, const InstanceId& instance);
/// What it requires to give a port this level, or to take it away: those who enter the workspace reach its ports in any case, and show them
/// to each other.
Permission permissionToSet(PortLevel level);
/// Why isAllowed() is false, as a sentence.
std::string_view refusalOf(const Principal& principal, Permission permission);
/// Whether the request may concern an instance of this name: an access token may be limited to a prefix.
bool covers(const Principal& principal, std::string_view instance_name);
/// The prefix; empty: none.
std::string_view namePrefixOf(const Principal& principal);
/// Instances of other users look like absent ones: the caller responds 404, not 403, when canSee is false.
bool canSee(const Principal& principal, std::string_view owner, const InstanceId& instance = {});

}  // namespace swarm
