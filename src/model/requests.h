// The bodies of requests, described once: the API reads them, its OpenAPI document prints them, and the client writes them. Ranges and what
// is required: field_rules.h.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/types/access_token.h"
#include "model/types/accounts/limits.h"
#include "model/types/git_identity.h"
#include "model/types/instance_config.h"
#include "model/types/provider_type.h"
#include "model/types/sharing.h"
#include "model/types/user_kind.h"

namespace swarm {

struct CreateInstanceRequest : InstanceConfig {
  std::optional<ProviderType> provider{};             ///< absent: placement chooses
  std::optional<std::vector<std::string>> regions{};  ///< network.regions, for short
  std::optional<std::string> owner{};                 ///< for administrators; absent: the caller
};
BOOST_DESCRIBE_STRUCT(CreateInstanceRequest, (InstanceConfig), (provider, regions, owner))

/// What is absent stays, inside resources, network and security, too. env, labels and metadata are replaced whole.
struct UpdateInstanceRequest {
  std::optional<ResourcePatch> resources{};
  std::optional<std::map<std::string, std::string>> env{};
  std::optional<NetworkPatch> network{};
  std::optional<std::map<std::string, std::string>> labels{};
  std::optional<boost::json::object> metadata{};
  std::optional<SecurityPatch> security{};
  std::optional<std::int64_t> ifVersion{};  ///< in If-Match, not in the body: at another version nothing is changed (PreconditionFailed)
  bool refreshImage = false;                ///< in the query, not in the body: recreate it from the image that config.image names now
};
BOOST_DESCRIBE_STRUCT(UpdateInstanceRequest, (), (resources, env, network, labels, metadata, security))

/// Where an instance moves, and how. At least one of targetProvider, region and back is given.
struct MigrateInstanceRequest {
  std::optional<ProviderType> targetProvider{};  ///< absent: it stays with its provider
  std::string region{};                          ///< Fly's region or the name of a Docker host; empty: the provider chooses
  std::optional<ResourcePatch> resources{};      ///< what is absent stays
  bool keepSource = false;                       ///< the old place stays, stopped, for keepHours
  std::optional<std::int64_t> keepHours{};       ///< absent: 24; only with keepSource
  std::int64_t bandwidthLimit = 0;               ///< bytes per second; 0: none
  bool back = false;                             ///< to the place that an earlier move kept; only what differs travels
  bool dryRun = false;
};
BOOST_DESCRIBE_STRUCT(MigrateInstanceRequest, (), (targetProvider, region, resources, keepSource, keepHours, bandwidthLimit, back, dryRun))
inline constexpr std::int64_t kUsualKeepHours = 24;

struct TakeSnapshotRequest {
  std::string name{};  ///< empty: the time
};
BOOST_DESCRIBE_STRUCT(TakeSnapshotRequest, (), (name))

struct RestoreSnapshotRequest {
  std::string snapshot{};
};
BOOST_DESCRIBE_STRUCT(RestoreSnapshotRequest, (), (snapshot))

struct ShareRequest {
  ShareAccess access = ShareAccess::viewer;
  std::optional<SystemTime> expiresAt{};  ///< absent: until it is ended
};
BOOST_DESCRIBE_STRUCT(ShareRequest, (), (access, expiresAt))

struct PortLevelRequest {
  PortLevel level = PortLevel::owner;
  std::optional<SystemTime> expiresAt{};  ///< required for `public`
};
BOOST_DESCRIBE_STRUCT(PortLevelRequest, (), (level, expiresAt))

struct CreateGroupRequest {
  std::string name{};
};
BOOST_DESCRIBE_STRUCT(CreateGroupRequest, (), (name))

struct SetQuotaRequest {
  ResourceLimits limits{};
};
BOOST_DESCRIBE_STRUCT(SetQuotaRequest, (), (limits))

struct HandOverRequest {
  std::string owner{};
};
BOOST_DESCRIBE_STRUCT(HandOverRequest, (), (owner))

struct ExecuteCommandRequest {
  std::vector<std::string> command{};
  std::string stdinText{};    ///< JSON "stdin"
  std::int64_t timeout = 60;  ///< seconds
};
BOOST_DESCRIBE_STRUCT(ExecuteCommandRequest, (), (command, stdinText, timeout))

struct IssueTokenRequest {
  std::string scope{};
  std::int64_t ttl = 300;  ///< seconds
};
BOOST_DESCRIBE_STRUCT(IssueTokenRequest, (), (scope, ttl))

struct CreateAccessTokenRequest {
  std::string name{};
  std::vector<AccessScope> scopes{};
  std::int64_t days = 90;
  std::string namePrefix{};
  std::int64_t maxInstances = 0;
  std::string owner{};  ///< empty: the caller
};
BOOST_DESCRIBE_STRUCT(CreateAccessTokenRequest, (), (name, scopes, days, namePrefix, maxInstances, owner))

struct AddSshKeyRequest {
  std::string key{};    ///< a line in OpenSSH's form
  std::string name{};   ///< empty: the comment of the key
  std::string owner{};  ///< empty: the caller
};
BOOST_DESCRIBE_STRUCT(AddSshKeyRequest, (), (key, name, owner))

struct LoginRequest {
  std::string user{};
  std::string password{};
  std::string code{};  ///< of the second factor, or a recovery code; empty: none
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (user, password, code))

/// Of a program: what its user's browser brought.
struct ProgramLoginRequest {
  std::string code{};
  std::string verifier{};
};
BOOST_DESCRIBE_STRUCT(ProgramLoginRequest, (), (code, verifier))

struct DeviceLoginRequest {
  std::string deviceCode{};
};
BOOST_DESCRIBE_STRUCT(DeviceLoginRequest, (), (deviceCode))

struct LoginLinkRequest {
  std::string instance{};  ///< empty: the list of workspaces
};
BOOST_DESCRIBE_STRUCT(LoginLinkRequest, (), (instance))

struct CreateUserRequest {
  std::string name{};
  std::string role = "user";
  std::string password{};  ///< empty: an invitation lets the person set one
  UserKind kind = UserKind::person;
};
BOOST_DESCRIBE_STRUCT(CreateUserRequest, (), (name, role, password, kind))

struct ChangeUserRequest {
  std::string role{};
};
BOOST_DESCRIBE_STRUCT(ChangeUserRequest, (), (role))

struct SetPasswordRequest {
  std::string password{};
  std::string oldPassword{};  ///< required for one's own
};
BOOST_DESCRIBE_STRUCT(SetPasswordRequest, (), (password, oldPassword))

struct SetProviderTokenRequest {
  std::string token{};
};
BOOST_DESCRIBE_STRUCT(SetProviderTokenRequest, (), (token))

struct SetUpSecondFactorRequest {
  std::string password{};
};
BOOST_DESCRIBE_STRUCT(SetUpSecondFactorRequest, (), (password))

struct ConfirmSecondFactorRequest {
  std::string ticket{};
  std::string code{};
};
BOOST_DESCRIBE_STRUCT(ConfirmSecondFactorRequest, (), (ticket, code))

struct DisableSecondFactorRequest {
  std::string password{};
  std::string code{};
};
BOOST_DESCRIBE_STRUCT(DisableSecondFactorRequest, (), (password, code))

void apply(const ResourcePatch& patch, ResourceConfig& resources);

/// Reads a body as ObjectReader does: a member that is null counts as absent. Every fault is appended, one for each pointer at most: of
/// type, of range, of length, of what is required. An unknown member is a fault. Instantiated for the types of this header and GitIdentity.
template <typename Request>
Request readRequest(const boost::json::value& body, std::vector<FieldError>& faults);

/// The body, without members that have their default value.
template <typename Request>
boost::json::object requestBody(const Request& request);

}  // namespace swarm
