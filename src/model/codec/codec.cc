// Instantiates the codec for every public type; the one expensive translation unit of JSON.
#include "model/codec/codec.h"

#include "model/codec/codec_detail.h"
#include "model/codec/type_names.h"
#include "model/types/migration_plan.h"
#include "model/types/resource_kind.h"
#include "model/types/snapshot.h"
#include "model/types/update_plan.h"

// Both directions of one type.
#define SWARM_CODEC(...)                                                                                                       \
  template boost::json::value toJson<__VA_ARGS__>(const __VA_ARGS__&);                                                         \
  template __VA_ARGS__ decode<__VA_ARGS__>(const boost::json::value&, __VA_ARGS__, std::string_view, std::vector<FieldError>&, \
                                           UnknownFields)

#define SWARM_ENUM_CODEC(E)                                         \
  SWARM_CODEC(E);                                                   \
  template std::string_view enumName<E>(E);                         \
  template std::optional<E> enumFromName<E>(std::string_view name); \
  template std::string enumNames<E>();

namespace swarm {

SWARM_CODEC(bool);
SWARM_CODEC(double);
SWARM_CODEC(std::int64_t);
SWARM_CODEC(std::string);
SWARM_CODEC(SystemTime);
SWARM_CODEC(boost::json::object);
SWARM_CODEC(std::vector<std::string>);
SWARM_CODEC(std::vector<std::int64_t>);
SWARM_CODEC(std::map<std::string, std::string>);

#define SWARM_TYPE_CODEC(T, REQUEST) SWARM_CODEC(T);
SWARM_ENUMS(SWARM_ENUM_CODEC)
SWARM_TYPES(SWARM_TYPE_CODEC)
SWARM_ENUM_CODEC(GranteeKind)
SWARM_ENUM_CODEC(PlacementPolicy)
SWARM_ENUM_CODEC(PlaceRole)
SWARM_ENUM_CODEC(QuotaKind)
SWARM_ENUM_CODEC(ResourceKind)
SWARM_CODEC(ResourceUsage);
SWARM_CODEC(ResourcePatch);
SWARM_CODEC(NetworkPatch);
SWARM_CODEC(SecurityPatch);
SWARM_CODEC(std::vector<StorageConfig>);
SWARM_CODEC(std::vector<Instance>);
SWARM_CODEC(std::vector<OperationStep>);
SWARM_CODEC(std::vector<Operation>);
SWARM_CODEC(std::vector<Snapshot>);
SWARM_CODEC(std::vector<InstanceUsage>);

#define SWARM_RESPONSE(T, NAME)                    \
  template boost::json::value toJson<T>(const T&); \
  template boost::json::value toJson<std::vector<T>>(const std::vector<T>&);
SWARM_RESPONSES(SWARM_RESPONSE)
#undef SWARM_RESPONSE

}  // namespace swarm
