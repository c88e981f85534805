// What each kind of operation needs to run, and to run again after a crash: one struct per kind, described once. The server's own: no
// response of the API has them.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <variant>

#include "model/types/ids.h"
#include "model/types/instance_config.h"
#include "model/types/operation.h"
#include "model/types/provider_type.h"

namespace swarm {

struct CreateParameters {
  static constexpr OperationKind kind = OperationKind::create;
};
BOOST_DESCRIBE_STRUCT(CreateParameters, (), ())

struct StartParameters {
  static constexpr OperationKind kind = OperationKind::start;
  static constexpr bool omitsFalse = true;  ///< JSON has the flags that are true only
  bool emptyVolumes = false;                ///< lost volumes are replaced with empty ones
};
BOOST_DESCRIBE_STRUCT(StartParameters, (), (emptyVolumes))

struct StopParameters {
  static constexpr OperationKind kind = OperationKind::stop;
};
BOOST_DESCRIBE_STRUCT(StopParameters, (), ())

struct RestartParameters {
  static constexpr OperationKind kind = OperationKind::restart;
  static constexpr bool omitsFalse = true;
  bool stopped = false;  ///< the first half is done: after a crash only the start is left
};
BOOST_DESCRIBE_STRUCT(RestartParameters, (), (stopped))

struct UpdateParameters {
  static constexpr OperationKind kind = OperationKind::update;
  InstanceConfig config;
  InstanceConfig previous;   ///< to roll back to
  std::int64_t version = 0;  ///< of the instance with `config`
  bool wasRunning = false;
  bool refreshImage = false;  ///< recreate it from the image that config.image names now
};
BOOST_DESCRIBE_STRUCT(UpdateParameters, (), (config, previous, version, wasRunning, refreshImage))

struct RemoveParameters {
  static constexpr OperationKind kind = OperationKind::remove;
  bool volumes = false;  ///< persistent volumes and snapshots are deleted, too
};
BOOST_DESCRIBE_STRUCT(RemoveParameters, (), (volumes))

/// How far an operation is that gives its instance another place. Absent in a row: the former place is still the instance's.
enum class SwitchPhase { switched };
BOOST_DESCRIBE_ENUM(SwitchPhase, switched)

struct MigrateParameters {
  static constexpr OperationKind kind = OperationKind::migrate;
  ProviderType provider = ProviderType::docker;  ///< the target's
  std::string region;                            ///< the target's
  InstanceConfig config;                         ///< as it will be at the target
  PlaceId place;                                 ///< the target
  bool reused = false;                           ///< the target is a place that an earlier move has kept
  bool keepSource = false;
  std::int64_t keepHours = 0;
  std::int64_t bandwidthLimit = 0;  ///< bytes per second; 0: none
  bool wasRunning = false;
  std::optional<SwitchPhase> phase{};
  std::optional<PlaceId> former{};  ///< the source, once it is switched
};
BOOST_DESCRIBE_STRUCT(MigrateParameters, (),
                      (provider, region, config, place, reused, keepSource, keepHours, bandwidthLimit, wasRunning, phase, former))

struct SnapshotParameters {
  static constexpr OperationKind kind = OperationKind::snapshot;
  std::string name;
  PlaceId place;  ///< the snapshot
  InstanceConfig config;
  bool wasRunning = false;
};
BOOST_DESCRIBE_STRUCT(SnapshotParameters, (), (name, place, config, wasRunning))

struct RestoreParameters {
  static constexpr OperationKind kind = OperationKind::restore;
  std::string snapshot;  ///< id of a place, or of one of the provider's own snapshots (then there is a `reader`)
  PlaceId place;         ///< to which the files are brought
  InstanceConfig config;
  bool wasRunning = false;
  bool wasFailed = false;
  std::optional<PlaceId> reader{};  ///< the place that reads the provider's snapshot
  std::optional<SwitchPhase> phase{};
  std::optional<PlaceId> former{};  ///< the instance's former place, once it is switched
};
BOOST_DESCRIBE_STRUCT(RestoreParameters, (), (snapshot, place, config, wasRunning, wasFailed, reader, phase, former))

/// One alternative per OperationKind.
using OperationParameters = std::variant<CreateParameters, StartParameters, StopParameters, RestartParameters, UpdateParameters,
                                         RemoveParameters, MigrateParameters, SnapshotParameters, RestoreParameters>;

OperationKind kindOf(const OperationParameters& parameters);

/// An operation as the store keeps it.
struct OperationRecord : Operation {
  OperationParameters parameters;  ///< of `kind`
  bool cancelRequested = false;    ///< a user cancelled it: after a crash it is rolled back, and does not run again
};

/// The store's JSON of what an operation has besides its public JSON.
boost::json::object storedParametersOf(const OperationRecord& record);
/// The inverse, for record.kind, which was read before. Lenient with rows of other versions: members that are absent, unknown or of another
/// type leave the defaults. `of_instance`: where the instance is; rows of earlier versions have regions of each provider.
void readStoredParameters(OperationRecord& record, const boost::json::object& stored, std::optional<ProviderType> of_instance = {});

}  // namespace swarm
