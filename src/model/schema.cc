// Walks the descriptions once and adds what they can't say (units, ranges) from one table.
#include "model/schema.h"

#include "base/check.h"
#include "model/codec_detail.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// What a member means, beyond its type. Ranges are those that validation.cc enforces.
struct Note {
  std::string_view type;
  std::string_view member;
  std::string_view description;
  std::optional<double> minimum = std::nullopt;
  std::optional<double> maximum = std::nullopt;
};

constexpr Note kNotes[] = {
    {"CpuConfig", "cores", "Cores to reserve or show", 0.1, 1024},
    {"CpuConfig", "limit", "Hard limit in millicores; 0: cores x 1000", 0, 1'024'000},
    {"MemoryConfig", "min", "MiB kept for it (soft); 0: none", 0, 16'777'216},
    {"MemoryConfig", "max", "MiB, hard limit", 6, 16'777'216},
    {"StorageResource", "size", "GiB", 1, 65'536},
    {"ResourceConfig", "pids", "Most processes and threads", 16, 4'194'304},
    {"DockerNetworkConfig", "networkName", "Empty: the owner's own network"},
    {"DockerNetworkConfig", "host", "One of the configured Engines, by name; empty: the provider chooses"},
    {"NetworkConfig", "exposedPorts", "TCP ports to publish, 1 to 65535, without 7777 (the agent's)"},
    {"NetworkConfig", "internalNetwork", "No way out to the internet"},
    {"StorageConfig", "size", "GiB", 1, 65'536},
    {"StorageConfig", "persistent", "false: deleted with the instance"},
    {"StorageConfig", "mountPath", "Absolute path in the instance"},
    {"StorageConfig", "volumeName", "Empty: made from the instance's id; a name: that volume is made or attached"},
    {"InstanceConfig", "name", "DNS label of at most 40 characters without \"--\", unique in the swarm; empty: one is made"},
    {"InstanceConfig", "image", "Image reference; empty: the workspace image"},
    {"InstanceConfig", "storage", "Empty in a request: one persistent volume at /home/coder"},
    {"CpuUsage", "usage", "Percent of one core"},
    {"CpuUsage", "limit", "Millicores"},
    {"ResourceUsage", "memory", "MiB"},
    {"ResourceUsage", "storage", "GiB"},
    {"CommandResult", "truncated", "Output beyond the limit was dropped"},
    {"ProviderCapabilities", "maxInstancesPerUser", "0: no limit of the provider's"},
    {"Instance", "region", "Fly's region or the name of a Docker host; empty where there is only one"},
    {"Instance", "keptSource", "The place that it was moved from, as long as it is kept"},
    {"Instance", "statusReason", "Why it failed or is not ready, as a sentence; empty when all is well"},
    {"Instance", "desired", "running, stopped or deleted"},
    {"Instance", "resources", "In force now"},
    {"Instance", "url", "Where VS Code opens"},
    {"Instance", "version", "Grows with each change of configuration; the ETag"},
    {"Instance", "stale", "The provider can't be reached: this is the last known state, of observedAt"},
    {"Instance", "operationId", "The operation in progress, or empty"},
    {"SwarmResourceUsage", "cpu", "Cores"},
    {"SwarmResourceUsage", "memory", "MiB"},
    {"SwarmResourceUsage", "storage", "GiB"},
    {"ProviderStatus", "detail", "Why it is not healthy"},
};

template <typename T>
constexpr std::string_view kSchemaName = {};
template <typename T>
constexpr bool kIsRequest = false;  // every member may be absent and has a default; else every member is there

#define SWARM_SCHEMA_NAME(T) \
  template <>                \
  constexpr std::string_view kSchemaName<T> = #T
#define SWARM_REQUEST_SCHEMA(T) \
  SWARM_SCHEMA_NAME(T);         \
  template <>                   \
  constexpr bool kIsRequest<T> = true

SWARM_SCHEMA_NAME(ProviderType);
SWARM_SCHEMA_NAME(InstanceStatus);
SWARM_SCHEMA_NAME(ProviderHealth);
SWARM_SCHEMA_NAME(OperationKind);
SWARM_SCHEMA_NAME(OperationStatus);
SWARM_REQUEST_SCHEMA(CpuConfig);
SWARM_REQUEST_SCHEMA(MemoryConfig);
SWARM_REQUEST_SCHEMA(StorageResource);
SWARM_REQUEST_SCHEMA(ResourceConfig);
SWARM_REQUEST_SCHEMA(DockerNetworkConfig);
SWARM_REQUEST_SCHEMA(FlyNetworkConfig);
SWARM_REQUEST_SCHEMA(NetworkConfig);
SWARM_REQUEST_SCHEMA(StorageConfig);
SWARM_REQUEST_SCHEMA(InstanceConfig);
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
SWARM_SCHEMA_NAME(MigrationSkip);
SWARM_SCHEMA_NAME(MigrationPlan);
SWARM_SCHEMA_NAME(Snapshot);

json::object refTo(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

template <typename T>
json::object typeSchema() {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::same_as<T, std::int64_t>) {
    return {{"type", "integer"}, {"format", "int64"}};
  } else if constexpr (std::same_as<T, double>) {
    return {{"type", "number"}};
  } else if constexpr (std::same_as<T, std::string>) {
    return {{"type", "string"}};
  } else if constexpr (std::same_as<T, SystemTime>) {
    return {{"type", {"string", "null"}}, {"format", "date-time"}};
  } else if constexpr (std::same_as<T, json::object>) {
    return {{"type", "object"}};
  } else if constexpr (std::same_as<T, Error>) {
    return refTo("Error");
  } else if constexpr (codec::IsOptional<T>::value) {
    return typeSchema<typename T::value_type>();
  } else if constexpr (codec::IsVector<T>::value) {
    return {{"type", "array"}, {"items", typeSchema<typename T::value_type>()}};
  } else if constexpr (codec::IsMap<T>::value) {
    return {{"type", "object"}, {"additionalProperties", typeSchema<typename T::mapped_type>()}};
  } else {
    static_assert(!kSchemaName<T>.empty(), "name the type with SWARM_SCHEMA_NAME");
    return refTo(kSchemaName<T>);
  }
}

void addNote(json::object& schema, std::string_view type, std::string_view member) {
  for (const Note& note : kNotes) {
    if (note.type != type || note.member != member) continue;
    schema["description"] = note.description;
    if (note.minimum) schema["minimum"] = *note.minimum;
    if (note.maximum) schema["maximum"] = *note.maximum;
  }
}

template <codec::DescribedEnum T>
json::object bodySchema() {
  json::array names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto one) { names.push_back(json::string(codec::jsonEnumName<T>(one.name))); });
  return {{"type", "string"}, {"enum", std::move(names)}};
}

template <codec::DescribedStruct T>
json::object bodySchema() {
  json::object properties;
  json::array required;
  const T defaults{};
  boost::mp11::mp_for_each<codec::Members<T>>([&](auto member) {
    std::string_view name = codec::jsonName<T>(member.name);
    using Part = std::remove_cvref_t<decltype(defaults.*member.pointer)>;
    json::object schema = typeSchema<Part>();
    addNote(schema, kSchemaName<T>, name);
    if constexpr (kIsRequest<T>) {
      if constexpr (std::is_arithmetic_v<Part> || std::same_as<Part, std::string>) schema["default"] = toJson(defaults.*member.pointer);
    } else if constexpr (!codec::IsOptional<Part>::value) {
      required.push_back(json::string(name));
    }
    properties.emplace(name, std::move(schema));
  });
  json::object out{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  if (kIsRequest<T>) out["additionalProperties"] = false;
  return out;
}

template <typename... T>
void addAll(json::object& out) {
  (out.emplace(kSchemaName<T>, bodySchema<T>()), ...);
}

json::object errorSchema() {
  json::object text{{"type", "string"}};
  json::object field{{"type", "object"},
                     {"properties", {{"pointer", {{"type", "string"}, {"format", "json-pointer"}}}, {"detail", text}}},
                     {"required", {"pointer", "detail"}}};
  return {{"type", "object"},
          {"properties",
           {{"code", text},
            {"message", text},
            {"retryable", {{"type", "boolean"}, {"description", "Whether the same call may succeed later, unchanged"}}},
            {"errors", {{"type", "array"}, {"items", field}}},
            {"instance", text},
            {"upstream", {{"type", "object"}, {"properties", {{"status", {{"type", "integer"}}}, {"requestId", text}}}}}}},
          {"required", {"code", "message", "retryable"}}};
}

/// The members that the codec derives.
void addDerived(json::object& schemas) {
  schemas["Instance"].get_object()["properties"].get_object()["metadata"] =
      json::object{{"type", "object"}, {"description", "The configuration's metadata"}};
  schemas["OperationStep"].get_object()["properties"].get_object()["percent"] =
      json::object{{"type", "integer"}, {"minimum", 0}, {"maximum", 100}, {"description", "Only when bytesTotal is known"}};
}

json::object makeSchemas() {
  json::object out;
  addAll<ProviderType, InstanceStatus, ProviderHealth, OperationKind, OperationStatus, CpuConfig, MemoryConfig, StorageResource,
         ResourceConfig, DockerNetworkConfig, FlyNetworkConfig, NetworkConfig, StorageConfig, InstanceConfig, PortMapping, NetworkInfo,
         CpuUsage, SizeUsage, ResourceUsage, CommandResult, ProviderCapabilities, Instance, UsedTotal, SwarmResourceUsage, ProviderStatus,
         SwarmStatus, OperationStep, Operation, KeptSource, MigrationEnd, MigrationChange, MigrationSkip, MigrationPlan, Snapshot>(out);
  out["Error"] = errorSchema();
  addDerived(out);
  return out;
}

const json::object& schemas() {
  static const json::object made = makeSchemas();
  return made;
}

}  // namespace

json::object jsonSchemas() { return schemas(); }

json::object jsonSchemaFor(std::string_view name) {
  const json::value* schema = schemas().if_contains(name);
  SWARM_CHECK(schema != nullptr);
  return schema->get_object();
}

json::object schemaRef(std::string_view name) {
  SWARM_CHECK(schemas().contains(name));
  return refTo(name);
}

}  // namespace swarm
