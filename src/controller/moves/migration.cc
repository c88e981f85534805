// Migration: validates the destination of a move.
#include "controller/moves/migration.h"

#include "base/id.h"
#include "base/text/format.h"
#include "controller/placement/placement.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::control {
namespace {

Error conflict(const Instance& instance, std::string message) {
  return Error(ErrorCode::Conflict, std::move(message)).withInstance(instance.id.str());
}

/// At the target, volumes with names that a user chose may hold other files: a move creates volumes of its own.
void forgetVolumeNames(InstanceConfig& config) {
  for (StorageConfig& storage : config.storage) storage.volumeName.clear();
}

bool isAlreadyAt(const Instance& instance, const MoveTarget& target, const Provider* provider) {
  if (target.provider != instance.provider) return false;
  if (target.region.empty() || target.region == instance.region) return true;
  // The instance has no region when its provider has only one.
  return instance.region.empty() && provider && provider->getProviderCapabilities().supportedRegions == std::vector{target.region};
}

}  // namespace

MoveTarget Migration::resolve(const Entry& entry, const MigrateRequest& request) const {
  const Instance& instance = entry.record.instance;
  const PlaceRecord* kept = places_.keptFor(entry.id());
  MoveTarget target;
  if (request.back) {
    if (!kept) throw conflict(instance, format("No earlier place of {} is kept. Name a target (--to, --region).", instance.config.name));
    target.provider = kept->provider;
    target.region = kept->region;
    target.kept = kept;
  } else {
    target.provider = request.targetProvider.value_or(instance.provider);
    target.region = request.region;
    if (isAlreadyAt(instance, target, context_.providers.find(target.provider)))
      throw conflict(instance,
                     format("Workspace {} is already at {}.", instance.config.name, placeTitle(instance.provider, instance.region)));
    bool fits_kept = kept && kept->provider == target.provider && (target.region.empty() || kept->region == target.region);
    if (fits_kept) target.kept = kept;
  }
  if (!context_.providers.contains(target.provider))
    throw Error(ErrorCode::InvalidArgument, format("This server has no provider \"{}\".", enumName(target.provider)))
        .withField("/targetProvider", "is not configured on this server");
  if (target.kept) target.region = target.kept->region;
  target.config = instance.config;
  if (target.kept) {
    target.config.storage = target.kept->config.storage;
    target.config.network = networkAt(target.kept->config.network, instance.config.network);
    target.config.resources = target.kept->config.resources;
  } else {
    forgetVolumeNames(target.config);
    std::vector<std::string>& regions = target.config.network.regions;
    regions.clear();  // of the place that it leaves
    if (!target.region.empty()) regions = offeredRegions(context_.providers.at(target.provider), {target.region}, "/region");
  }
  if (request.resources) target.config.resources = *request.resources;
  if (request.resources && !target.kept)
    for (StorageConfig& storage : target.config.storage)
      if (storage.persistent) storage.size = std::max(storage.size, request.resources->storage.size);
  return target;
}

MigrateParameters Migration::parametersFor(const Entry& entry, const MigrateRequest& request) const {
  MoveTarget target = resolve(entry, request);
  MigrateParameters parameters;
  parameters.provider = target.provider;
  parameters.region = target.region;
  parameters.config = target.config;
  parameters.place = target.kept ? target.kept->id : PlaceId(newId("i"));
  parameters.reused = target.kept != nullptr;
  parameters.keepSource = request.keepSource;
  parameters.keepHours = request.keepHours;
  parameters.bandwidthLimit = request.bandwidthLimit;
  parameters.wasRunning = entry.record.instance.status == InstanceStatus::running;
  if (!target.kept) {
    InstanceSpec requested;
    requested.placeId = parameters.place;
    requested.name = parameters.config.name;
    requested.owner = entry.record.instance.owner;
    requested.config = parameters.config;
    requested.imageChoice = request.imageChoice;
    context_.providers.at(target.provider).checkRequest(requested);
  }
  return parameters;
}

}  // namespace swarm::control
