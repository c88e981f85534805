// What the described types are called in JSON schemas and in the table of field rules.
#pragma once

#include <string_view>

#include "model/queries.h"
#include "model/requests.h"
#include "model/responses.h"
#include "model/types/instance.h"
#include "model/types/migration_plan.h"
#include "model/types/operation.h"
#include "model/types/snapshot.h"
#include "model/types/swarm_status.h"
#include "model/types/update_plan.h"
#include "model/types/usage.h"

namespace swarm {

template <typename T>
inline constexpr std::string_view kSchemaName = {};
template <typename T>
inline constexpr std::string_view kRequestName = {};  // what of T a request gives

#define SWARM_SCHEMA_NAME(T) \
  template <>                \
  inline constexpr std::string_view kSchemaName<T> = #T
#define SWARM_REQUEST_SCHEMA(T, NAME) \
  SWARM_SCHEMA_NAME(T);               \
  template <>                         \
  inline constexpr std::string_view kRequestName<T> = NAME

SWARM_SCHEMA_NAME(ProviderType);
SWARM_SCHEMA_NAME(InstanceStatus);
SWARM_SCHEMA_NAME(ProviderHealth);
SWARM_SCHEMA_NAME(OperationKind);
SWARM_SCHEMA_NAME(OperationStatus);
SWARM_REQUEST_SCHEMA(CpuConfig, "CpuPatch");
SWARM_REQUEST_SCHEMA(MemoryConfig, "MemoryPatch");
SWARM_REQUEST_SCHEMA(StorageResource, "StorageResourcePatch");
SWARM_REQUEST_SCHEMA(ResourceConfig, "ResourcePatch");
SWARM_REQUEST_SCHEMA(DockerNetworkConfig, "DockerNetworkPatch");
SWARM_REQUEST_SCHEMA(FlyNetworkConfig, "FlyNetworkPatch");
SWARM_REQUEST_SCHEMA(NetworkConfig, "NetworkPatch");
SWARM_REQUEST_SCHEMA(StorageConfig, "NewStorage");
SWARM_SCHEMA_NAME(InstanceConfig);
SWARM_SCHEMA_NAME(GitIdentity);
SWARM_SCHEMA_NAME(PortMapping);
SWARM_SCHEMA_NAME(NetworkInfo);
SWARM_SCHEMA_NAME(CpuUsage);
SWARM_SCHEMA_NAME(SizeUsage);
SWARM_SCHEMA_NAME(ResourceUsage);
SWARM_SCHEMA_NAME(CommandResult);
SWARM_SCHEMA_NAME(ProviderCapabilities);
SWARM_SCHEMA_NAME(Instance);
SWARM_SCHEMA_NAME(UsedTotal);
SWARM_SCHEMA_NAME(SwarmResourceUsage);
SWARM_SCHEMA_NAME(ProviderStatus);
SWARM_SCHEMA_NAME(SwarmStatus);
SWARM_SCHEMA_NAME(OperationStep);
SWARM_SCHEMA_NAME(Operation);
SWARM_SCHEMA_NAME(KeptSource);
SWARM_SCHEMA_NAME(MigrationEnd);
SWARM_SCHEMA_NAME(MigrationChange);
SWARM_SCHEMA_NAME(DroppedFolder);
SWARM_SCHEMA_NAME(ReplacementLoss);
SWARM_SCHEMA_NAME(UpdatePlan);
SWARM_SCHEMA_NAME(MigrationSkip);
SWARM_SCHEMA_NAME(MigrationPlan);
SWARM_SCHEMA_NAME(Snapshot);

#define SWARM_BODY_SCHEMA(T, NAME) \
  template <>                      \
  inline constexpr std::string_view kSchemaName<T> = NAME;

template <template <Form> typename Members>
inline constexpr std::string_view kSchemaName<Members<Form::Patch>> = kRequestName<Members<Form::Config>>;

/// The bodies of model/requests.h and the schemas that describe them.
#define SWARM_REQUESTS(REQUEST)                      \
  REQUEST(CreateInstanceRequest, "CreateInstance")   \
  REQUEST(ExecuteCommandRequest, "ExecuteCommand")   \
  REQUEST(IssueTokenRequest, "IssueToken")           \
  REQUEST(LoginLinkRequest, "CreateLoginLink")       \
  REQUEST(LoginRequest, "Credentials")               \
  REQUEST(MigrateInstanceRequest, "MigrateInstance") \
  REQUEST(RestoreSnapshotRequest, "RestoreSnapshot") \
  REQUEST(TakeSnapshotRequest, "TakeSnapshot")       \
  REQUEST(UpdateInstanceRequest, "UpdateInstance")

/// The bodies of model/responses.h.
#define SWARM_RESPONSES(RESPONSE)                            \
  RESPONSE(HealthResponse, "Health")                         \
  RESPONSE(InstanceTokenResponse, "InstanceToken")           \
  RESPONSE(LoginLinkResponse, "LoginLink")                   \
  RESPONSE(NameHoldResponse, "NameHold")                     \
  RESPONSE(ProviderCheckResponse, "ProviderCheck")           \
  RESPONSE(ProviderResponse, "ProviderDetails")              \
  RESPONSE(ProviderValidationResponse, "ProviderValidation") \
  RESPONSE(SessionResponse, "Session")                       \
  RESPONSE(VersionResponse, "Version")                       \
  RESPONSE(VolumeResponse, "Volume")

SWARM_REQUESTS(SWARM_BODY_SCHEMA)
SWARM_BODY_SCHEMA(ListInstancesQuery, "ListInstances")
SWARM_BODY_SCHEMA(ListOperationsQuery, "ListOperations")
SWARM_RESPONSES(SWARM_BODY_SCHEMA)

#undef SWARM_BODY_SCHEMA
#undef SWARM_REQUEST_SCHEMA
#undef SWARM_SCHEMA_NAME

}  // namespace swarm
