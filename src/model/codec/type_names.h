// What the described types are called in JSON schemas and in the table of field rules.
#pragma once

#include <string_view>

#include "model/queries.h"
#include "model/requests.h"
#include "model/responses.h"
#include "model/types/accounts/identity.h"
#include "model/types/accounts/limits.h"
#include "model/types/accounts/role.h"
#include "model/types/accounts/session_kind.h"
#include "model/types/audit/audit_record.h"
#include "model/types/instance.h"
#include "model/types/migration_plan.h"
#include "model/types/operation.h"
#include "model/types/sharing.h"
#include "model/types/snapshot.h"
#include "model/types/swarm_status.h"
#include "model/types/update_plan.h"
#include "model/types/usage.h"

namespace swarm {

template <typename T>
inline constexpr std::string_view kSchemaName = {};
template <typename T>
inline constexpr std::string_view kRequestName = {};  // what of T a request gives

/// The types whose schemas have their names, and what of them a request gives ("": nothing else).
#define SWARM_TYPES(TYPE)                         \
  TYPE(CpuConfig, "CpuPatch")                     \
  TYPE(MemoryConfig, "MemoryPatch")               \
  TYPE(StorageResource, "StorageResourcePatch")   \
  TYPE(ResourceConfig, "ResourcePatch")           \
  TYPE(DockerNetworkConfig, "DockerNetworkPatch") \
  TYPE(FlyNetworkConfig, "FlyNetworkPatch")       \
  TYPE(EgressConfig, "EgressPatch")               \
  TYPE(NetworkConfig, "NetworkPatch")             \
  TYPE(SecurityConfig, "SecurityPatch")           \
  TYPE(StorageConfig, "NewStorage")               \
  TYPE(InstanceConfig, "")                        \
  TYPE(GitIdentity, "")                           \
  TYPE(PortMapping, "")                           \
  TYPE(EgressReport, "")                          \
  TYPE(NetworkInfo, "")                           \
  TYPE(CpuUsage, "")                              \
  TYPE(SizeUsage, "")                             \
  TYPE(TrafficUsage, "")                          \
  TYPE(TrafficRate, "")                           \
  TYPE(UsagePoint, "")                            \
  TYPE(UsageHistory, "")                          \
  TYPE(InstanceUsage, "")                         \
  TYPE(CommandResult, "")                         \
  TYPE(ProviderCapabilities, "")                  \
  TYPE(Instance, "")                              \
  TYPE(UsedTotal, "")                             \
  TYPE(SwarmResourceUsage, "")                    \
  TYPE(ProviderStatus, "")                        \
  TYPE(SwarmStatus, "")                           \
  TYPE(OperationStep, "")                         \
  TYPE(Operation, "")                             \
  TYPE(KeptSource, "")                            \
  TYPE(DroppedFolder, "")                         \
  TYPE(ReplacementLoss, "")                       \
  TYPE(UpdatePlan, "")                            \
  TYPE(MigrationEnd, "")                          \
  TYPE(MigrationChange, "")                       \
  TYPE(MigrationSkip, "")                         \
  TYPE(MigrationPlan, "")                         \
  TYPE(InstanceAccess, "")                        \
  TYPE(Snapshot, "")                              \
  TYPE(ResourceLimits, "")                        \
  TYPE(HeldResources, "")                         \
  TYPE(AuditRecord, "")
#define SWARM_ENUMS(ENUM) \
  ENUM(ProviderType)      \
  ENUM(InstanceStatus)    \
  ENUM(ProviderHealth)    \
  ENUM(OperationKind)     \
  ENUM(OperationStatus)   \
  ENUM(PortLevel)         \
  ENUM(EgressPolicy)      \
  ENUM(LimitScope)        \
  ENUM(ShareAccess) ENUM(AccessScope) ENUM(UserKind) ENUM(Role) ENUM(SessionKind) ENUM(AuditResult) ENUM(TokenSource) ENUM(UpdateEffect)

#define SWARM_TYPE_NAMES(T, REQUEST)                     \
  template <>                                            \
  inline constexpr std::string_view kSchemaName<T> = #T; \
  template <>                                            \
  inline constexpr std::string_view kRequestName<T> = REQUEST;
#define SWARM_ENUM_NAME(E) \
  template <>              \
  inline constexpr std::string_view kSchemaName<E> = #E;

#define SWARM_BODY_SCHEMA(T, NAME) \
  template <>                      \
  inline constexpr std::string_view kSchemaName<T> = NAME;

template <template <Form> typename Members>
inline constexpr std::string_view kSchemaName<Members<Form::Patch>> = kRequestName<Members<Form::Config>>;

/// The bodies of model/requests.h and the schemas that describe them.
#define SWARM_REQUESTS(REQUEST)                              \
  REQUEST(AddSshKeyRequest, "AddSshKey")                     \
  REQUEST(ChangeUserRequest, "ChangeUser")                   \
  REQUEST(ConfirmSecondFactorRequest, "ConfirmSecondFactor") \
  REQUEST(CreateAccessTokenRequest, "CreateAccessToken")     \
  REQUEST(CreateGroupRequest, "CreateGroup")                 \
  REQUEST(CreateInstanceRequest, "CreateInstance")           \
  REQUEST(CreateUserRequest, "CreateUser")                   \
  REQUEST(DeviceLoginRequest, "DeviceCode")                  \
  REQUEST(DisableSecondFactorRequest, "DisableSecondFactor") \
  REQUEST(ExecuteCommandRequest, "ExecuteCommand")           \
  REQUEST(HandOverRequest, "HandOver")                       \
  REQUEST(IssueTokenRequest, "IssueToken")                   \
  REQUEST(LoginLinkRequest, "CreateLoginLink")               \
  REQUEST(LoginRequest, "Credentials")                       \
  REQUEST(MigrateInstanceRequest, "MigrateInstance")         \
  REQUEST(PortLevelRequest, "PutPort")                       \
  REQUEST(ProgramLoginRequest, "ProgramCode")                \
  REQUEST(RestoreSnapshotRequest, "RestoreSnapshot")         \
  REQUEST(SetPasswordRequest, "SetPassword")                 \
  REQUEST(SetProviderTokenRequest, "SetProviderToken")       \
  REQUEST(SetQuotaRequest, "SetQuota")                       \
  REQUEST(SetUpSecondFactorRequest, "SetUpSecondFactor")     \
  REQUEST(ShareRequest, "PutShare")                          \
  REQUEST(TakeSnapshotRequest, "TakeSnapshot")               \
  REQUEST(UpdateInstanceRequest, "UpdateInstance")

/// The bodies of model/responses.h.
#define SWARM_RESPONSES(RESPONSE)                            \
  RESPONSE(AccessToken, "AccessToken")                       \
  RESPONSE(AuditVerificationResponse, "AuditVerification")   \
  RESPONSE(DeviceLoginResponse, "DeviceLogin")               \
  RESPONSE(EnrolmentResponse, "Enrolment")                   \
  RESPONSE(GroupResponse, "Group")                           \
  RESPONSE(HealthResponse, "Health")                         \
  RESPONSE(Identity, "Identity")                             \
  RESPONSE(IdentityProviderResponse, "IdentityProvider")     \
  RESPONSE(InstanceTokenResponse, "InstanceToken")           \
  RESPONSE(InvitationResponse, "Invitation")                 \
  RESPONSE(JsonWebKey, "JsonWebKey")                         \
  RESPONSE(JsonWebKeySet, "JsonWebKeySet")                   \
  RESPONSE(LoginLinkResponse, "LoginLink")                   \
  RESPONSE(NameHoldResponse, "NameHold")                     \
  RESPONSE(PortResponse, "Port")                             \
  RESPONSE(ProviderCheckResponse, "ProviderCheck")           \
  RESPONSE(ProviderResponse, "ProviderDetails")              \
  RESPONSE(ProviderToken, "ProviderToken")                   \
  RESPONSE(ProviderValidationResponse, "ProviderValidation") \
  RESPONSE(QuotaResponse, "Quota")                           \
  RESPONSE(RecoveryCodesResponse, "RecoveryCodes")           \
  RESPONSE(SecondFactorResponse, "SecondFactor")             \
  RESPONSE(SessionResponse, "Session")                       \
  RESPONSE(ShareResponse, "Share")                           \
  RESPONSE(SigningKeyResponse, "SigningKey")                 \
  RESPONSE(SshKey, "SshKey")                                 \
  RESPONSE(SshListenerResponse, "SshListener")               \
  RESPONSE(UsageResponse, "Usage")                           \
  RESPONSE(UserResponse, "User")                             \
  RESPONSE(VersionResponse, "Version")                       \
  RESPONSE(VolumeResponse, "Volume")

SWARM_ENUMS(SWARM_ENUM_NAME)
SWARM_TYPES(SWARM_TYPE_NAMES)
SWARM_REQUESTS(SWARM_BODY_SCHEMA)
SWARM_BODY_SCHEMA(AuditQuery, "AuditQuery")
SWARM_BODY_SCHEMA(ListAuditQuery, "ListAudit")
SWARM_BODY_SCHEMA(ListInstancesQuery, "ListInstances")
SWARM_BODY_SCHEMA(ListOperationsQuery, "ListOperations")
SWARM_BODY_SCHEMA(ListUsageQuery, "ListUsage")
SWARM_BODY_SCHEMA(UsageQuery, "UsageQuery")
SWARM_RESPONSES(SWARM_BODY_SCHEMA)

#undef SWARM_BODY_SCHEMA
#undef SWARM_ENUM_NAME
#undef SWARM_TYPE_NAMES

}  // namespace swarm
