// Adopts a provider's report.
#include "controller/state/facts.h"

#include "base/diagnostics/log.h"
#include "model/rules/validation.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kListVolumesTimeout{30};
constexpr std::int64_t kDeclaredGiB = 1;       ///< an image names no size; a larger one would cost more after a move to Fly
constexpr std::size_t kMaxDeclaredPath = 255;  ///< of the path, which an image may choose freely

bool isOfDeclaredVolume(const VolumeInfo& volume, const Entry& entry) {
  const auto& storages = entry.record.instance.config.storage;
  return volume.placeId == entry.placeId() && volume.inUse && !volume.isStray &&
         std::ranges::find(storages, volume.mountPath, &StorageConfig::mountPath) == storages.end();
}

}  // namespace

void adoptFacts(const Context& context, Entry& entry, const ProviderInstance& observed) {
  Instance& instance = entry.instance();
  instance.resources = observed.resources;
  std::optional<EgressReport> egress = instance.network.egress;  // set when the rules stand, and not observed
  instance.network = observed.network;
  if (observed.status == InstanceStatus::running) instance.network.egress = egress;
  instance.region = observed.region;
  instance.imageOutdated = context.providers.of(entry).isImageOutdated(observed, instance.config.image);
  if (instance.network.urls.empty() && !instance.url.empty()) instance.network.urls.push_back(instance.url);
  instance.stale = false;
  instance.observedAt = context.clock.now();
  auto& known = entry.record.external;
  if (!observed.external.empty())  // a replaced container is not removed with the instance any more
    std::erase_if(known, [&](const ExternalResource& resource) {
      return isMachine(resource) && std::find(observed.external.begin(), observed.external.end(), resource) == observed.external.end();
    });
  for (const ExternalResource& resource : observed.external)
    if (std::find(known.begin(), known.end(), resource) == known.end()) known.push_back(resource);
  context.registry.recount(entry);
}

awaitable<void> adoptVolumes(const Context& context, EntryPtr entry) {
  std::vector<StorageConfig>& storages = entry->instance().config.storage;
  auto is_volume = [](const ExternalResource& resource) { return resource.kind == ResourceKind::volume; };
  auto recorded = std::ranges::count_if(entry->record.external, is_volume);
  if (recorded <= std::ssize(storages)) co_return;
  auto volumes = co_await context.providers.of(*entry).listVolumes(Deadline::after(kListVolumesTimeout));
  if (entry->removed) throw Error(ErrorCode::NotFound, "The workspace was deleted.").withInstance(entry->id().str());
  bool is_changed = false;
  for (const VolumeInfo& volume : volumes) {
    if (!isOfDeclaredVolume(volume, *entry)) continue;
    if (isNormalPath(volume.mountPath) && volume.mountPath.size() <= kMaxDeclaredPath) {
      storages.push_back({.size = kDeclaredGiB, .persistent = true, .mountPath = volume.mountPath, .volumeName = volume.name});
      is_changed = true;
    } else {
      log::warning("volume of an image has a path that no storage can have; copies will lack its files",
                   {{"instance", entry->id()}, {"volume", volume.name}});
    }
  }
  if (!is_changed) co_return;
  InstanceRecord record = entry->record;
  co_await context.store.updateInstance(record);
  context.changes.changed(*entry);
}

}  // namespace swarm::control
