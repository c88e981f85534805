// The bodies of responses that are not in types/, described once: the API writes them, and its OpenAPI document prints them. Their schemas
// are listed in codec/type_names.h.
#pragma once

#include <boost/describe.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/types/accounts/limits.h"
#include "model/types/accounts/role.h"
#include "model/types/accounts/session_kind.h"
#include "model/types/credentials/provider_token.h"
#include "model/types/credentials/ssh_key.h"
#include "model/types/ids.h"
#include "model/types/sharing.h"
#include "model/types/swarm_status.h"
#include "model/types/user_kind.h"

namespace swarm {

struct VolumeResponse {
  std::string name{};
  InstanceId instanceId{};
  std::string owner{};
  std::string mountPath{};
  bool inUse = false;
  SystemTime createdAt{};
  bool stray = false;
  std::string snapshot{};
};
BOOST_DESCRIBE_STRUCT(VolumeResponse, (), (name, instanceId, owner, mountPath, inUse, createdAt, stray, snapshot))

struct NameHoldResponse {
  std::string name{};
  std::string owner{};
  SystemTime until{};
};
BOOST_DESCRIBE_STRUCT(NameHoldResponse, (), (name, owner, until))

struct ProviderResponse {
  ProviderType type{};
  ProviderHealth status{};
  std::string detail{};
  std::int64_t instances = 0;
  bool isDefault = false;
  std::vector<std::string> regions{};
  ProviderCapabilities capabilities{};
  std::optional<ProviderToken> token{};  ///< absent: the provider has none, or the caller may not read the server
};
BOOST_DESCRIBE_STRUCT(ProviderResponse, (), (type, status, detail, instances, isDefault, regions, capabilities, token))

struct ProviderCheckResponse {
  std::string name{};
  bool ok = false;
  std::string detail{};
};
BOOST_DESCRIBE_STRUCT(ProviderCheckResponse, (), (name, ok, detail))

struct ProviderValidationResponse {
  ProviderType type{};
  bool ok = false;
  std::vector<ProviderCheckResponse> checks{};
};
BOOST_DESCRIBE_STRUCT(ProviderValidationResponse, (), (type, ok, checks))

struct LoginLinkResponse {
  std::string url{};
  SystemTime expiresAt{};
};
BOOST_DESCRIBE_STRUCT(LoginLinkResponse, (), (url, expiresAt))

/// RFC 8628: the user opens `verificationUri` in a browser and types `userCode`.
struct DeviceLoginResponse {
  std::string deviceCode{};
  std::string userCode{};
  std::string verificationUri{};
  std::int64_t expiresIn = 0;
  std::int64_t interval = 0;
};
BOOST_DESCRIBE_STRUCT(DeviceLoginResponse, (), (deviceCode, userCode, verificationUri, expiresIn, interval))

struct UserResponse {
  std::string name{};
  UserKind kind = UserKind::person;
  Role role = Role::viewer;
  bool disabled = false;
  bool hasPassword = false;
  bool hasSecondFactor = false;
  std::optional<SystemTime> invitedUntil{};
  SystemTime createdAt{};
  std::optional<std::string> managedBy{};  ///< the identity provider that decides the role
};
BOOST_DESCRIBE_STRUCT(UserResponse, (), (name, kind, role, disabled, hasPassword, hasSecondFactor, invitedUntil, createdAt, managedBy))

/// Limits in effect, and what is held.
struct QuotaResponse {
  LimitScope scope = LimitScope::swarm;
  std::optional<ProviderType> provider{};
  std::string name{};                            ///< of the region, user, group or role
  ResourceLimits limits{};                       ///< those in effect; absent: none
  std::map<std::string, std::string> sources{};  ///< what decides each of them
  std::optional<ResourceLimits> quota{};         ///< that was set for this user, group or role
  std::optional<HeldResources> used{};           ///< absent for what applies to each of several
};
BOOST_DESCRIBE_STRUCT(QuotaResponse, (), (scope, provider, name, limits, sources, quota, used))

struct SecondFactorResponse {
  bool enabled = false;
  bool required = false;
  std::optional<SystemTime> since{};
  std::int64_t recoveryCodes = 0;
};
BOOST_DESCRIBE_STRUCT(SecondFactorResponse, (), (enabled, required, since, recoveryCodes))

struct EnrolmentResponse {
  std::string ticket{};
  std::string secret{};
  std::string uri{};
  SystemTime expiresAt{};
};
BOOST_DESCRIBE_STRUCT(EnrolmentResponse, (), (ticket, secret, uri, expiresAt))

struct RecoveryCodesResponse {
  std::vector<std::string> recoveryCodes{};
};
BOOST_DESCRIBE_STRUCT(RecoveryCodesResponse, (), (recoveryCodes))

struct IdentityProviderResponse {
  std::string name{};
  std::string title{};
  std::string issuer{};
  bool managesRoles = false;
};
BOOST_DESCRIBE_STRUCT(IdentityProviderResponse, (), (name, title, issuer, managesRoles))

struct InvitationResponse {
  std::string url{};
  SystemTime expiresAt{};
};
BOOST_DESCRIBE_STRUCT(InvitationResponse, (), (url, expiresAt))

struct SessionResponse {
  std::string id{};
  std::string user{};
  SessionKind kind = SessionKind::unknown;
  std::optional<SystemTime> createdAt{};
  SystemTime expiresAt{};
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(SessionResponse, (), (id, user, kind, createdAt, expiresAt, current))

struct ShareResponse {
  std::optional<std::string> user{};   ///< with whom it is shared, or
  std::optional<std::string> group{};  ///< with which
  ShareAccess access{};
  std::string grantedBy{};
  SystemTime createdAt{};
  std::optional<SystemTime> expiresAt{};
};
BOOST_DESCRIBE_STRUCT(ShareResponse, (), (user, group, access, grantedBy, createdAt, expiresAt))

struct PortResponse {
  std::int64_t port = 0;
  PortLevel level{};
  std::optional<SystemTime> expiresAt{};
  std::string url{};
};
BOOST_DESCRIBE_STRUCT(PortResponse, (), (port, level, expiresAt, url))

struct GroupResponse {
  std::string name{};
  std::string managedBy{};
  std::vector<std::string> members{};
  SystemTime createdAt{};
};
BOOST_DESCRIBE_STRUCT(GroupResponse, (), (name, managedBy, members, createdAt))

/// How clients of SSH reach the server.
struct SshListenerResponse {
  bool enabled = false;
  std::string host{};  ///< empty unless enabled, like the others
  std::int64_t port = 0;
  std::string hostKey{};  ///< "ssh-ed25519 AAAA…"
};
BOOST_DESCRIBE_STRUCT(SshListenerResponse, (), (enabled, host, port, hostKey))

/// A key of API tokens; without `expiresAt`, it signs new ones.
struct SigningKeyResponse {
  std::string id{};
  SystemTime createdAt{};
  std::optional<SystemTime> expiresAt{};
};
BOOST_DESCRIBE_STRUCT(SigningKeyResponse, (), (id, createdAt, expiresAt))

/// RFC 8037: a public key of API tokens.
struct JsonWebKey {
  std::string kty{};
  std::string crv{};
  std::string x{};
  std::string kid{};
  std::string use{};
  std::string alg{};
};
BOOST_DESCRIBE_STRUCT(JsonWebKey, (), (kty, crv, x, kid, use, alg))

/// RFC 7517
struct JsonWebKeySet {
  std::vector<JsonWebKey> keys{};
};
BOOST_DESCRIBE_STRUCT(JsonWebKeySet, (), (keys))

struct InstanceTokenResponse {
  std::string token{};
  InstanceId instanceId{};
  std::string scope{};
  SystemTime expiresAt{};
};
BOOST_DESCRIBE_STRUCT(InstanceTokenResponse, (), (token, instanceId, scope, expiresAt))

struct AuditVerificationResponse {
  bool intact = false;
  std::string fault{};
  std::int64_t first = 0;
  std::int64_t sequence = 0;
  std::string hash{};
};
BOOST_DESCRIBE_STRUCT(AuditVerificationResponse, (), (intact, fault, first, sequence, hash))

struct HealthResponse {
  std::string status{};
};
BOOST_DESCRIBE_STRUCT(HealthResponse, (), (status))

struct VersionResponse {
  std::string name{};
  std::string version{};
};
BOOST_DESCRIBE_STRUCT(VersionResponse, (), (name, version))

}  // namespace swarm
