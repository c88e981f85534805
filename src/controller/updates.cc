// Updates: what is applied in place, and what needs another container.
#include "controller/updates.h"

#include <algorithm>

#include "base/text/format.h"
#include "controller/placement/creation.h"
#include "controller/placement/placement.h"
#include "model/codec/codec.h"
#include "model/rules/validation.h"

namespace swarm::control {
namespace {

/// Marks an instance during an update in place.
class UpdatingGuard {
 public:
  explicit UpdatingGuard(EntryPtr entry) : entry_(std::move(entry)) { entry_->updating = true; }
  ~UpdatingGuard() { entry_->updating = false; }
  UpdatingGuard(const UpdatingGuard&) = delete;
  UpdatingGuard& operator=(const UpdatingGuard&) = delete;

 private:
  EntryPtr entry_;
};

void requireIdle(const Entry& entry) {
  const Instance& instance = entry.record.instance;
  if (!entry.updating && instance.operationId.empty()) return;
  throw Error(ErrorCode::Conflict, format("Workspace {} is busy. Try again when its operation has ended.", instance.config.name))
      .withRetryable(true)
      .withInstance(instance.id.str());
}

template <typename T>
bool differ(const T& a, const T& b) {
  return toJson(a) != toJson(b);
}

/// Whether the networks differ in nothing but rules that can be set while the instance runs: of an agent that starts held, or of one that
/// need not be.
bool changesOnlyRules(Provider& provider, const NetworkConfig& old, NetworkConfig network) {
  EgressControl* control = provider.egress();
  if (!control || !differ(old, network)) return false;
  const bool is_live = control->policyFor(old) != EgressPolicy::open || control->policyFor(network) == EgressPolicy::open;
  network.egress = old.egress;
  return is_live && !differ(old, network);
}

/// A failed instance may have nothing at the provider: its configuration applies when it is created again, which a new image requires.
bool touchesProvider(const Instance& instance, const UpdateRequest& request) {
  const InstanceStatus status = instance.status;
  if (status == InstanceStatus::running || status == InstanceStatus::stopped) return true;
  if (request.refreshImage && status != InstanceStatus::failed)
    throw Error(ErrorCode::Conflict,
                format("Workspace {} is {}. Try again when it is running or stopped.", instance.config.name, enumName(status)))
        .withRetryable(true)
        .withInstance(instance.id.str());
  return request.refreshImage;
}

/// Throws Conflict when a workspace that stays another user's mounts a volume of this one: its owner would read the new owner's files.
void requireUnshared(const Registry& registry, const Entry& entry, const std::string& owner) {
  for (const auto& [id, other] : registry.instances()) {
    if (id == entry.id() || other->instance().provider != entry.record.instance.provider || other->instance().owner == owner) continue;
    for (const ExternalResource& resource : other->record.external) {
      if (resource.kind != ResourceKind::volume || std::ranges::count(entry.record.external, resource) == 0) continue;
      throw Error(ErrorCode::Conflict, format("The workspace {} uses the volume {}, too. Delete that workspace first.",
                                              other->instance().config.name, resource.id))
          .withInstance(entry.id().str());
    }
  }
}

}  // namespace

/// Applies what the provider can change in place; false: the instance must be recreated.
awaitable<bool> Updates::applyLive(EntryPtr entry, const InstanceConfig& config) {
  const InstanceConfig& old = entry->instance().config;
  Provider& provider = context_.providers.of(*entry);
  Deadline deadline = Deadline::after(context_.options.startTimeout);
  bool is_live = !differ(old.env, config.env) && !differ(old.security, config.security);
  if (is_live && differ(old.network, config.network))
    is_live = co_await provider.configureNetwork(entry->placeId(), config.network, deadline) == AllocationEffect::Live;
  // Also before a replacement: the provider refuses limits here that it cannot provide, while the container still exists.
  if (differ(old.resources, config.resources))
    is_live = co_await provider.allocateResources(entry->placeId(), config.resources, deadline) == AllocationEffect::Live && is_live;
  co_return is_live && !differInFixed(old.resources, config.resources);
}

/// From the provider's capabilities: a planned live change may still need a restart.
awaitable<UpdatePlan> Updates::plan(EntryPtr entry, UpdateRequest request) {
  const InstanceConfig old = entry->instance().config;
  InstanceConfig config = changed(*entry, request);
  UpdatePlan plan;
  bool is_there = touchesProvider(entry->instance(), request);
  const bool new_rules = changesOnlyRules(context_.providers.of(*entry), old.network, config.network);
  const bool new_network = differ(old.network, config.network) && !new_rules;
  bool new_limits = differ(old.resources, config.resources);
  bool needs_restart = request.refreshImage || differ(old.env, config.env) || new_network || differ(old.security, config.security) ||
                       old.resources.storage.size != config.resources.storage.size || differInFixed(old.resources, config.resources) ||
                       (new_limits && !context_.providers.of(*entry).getProviderCapabilities().supportsLiveResize);
  if (!is_there || (!needs_restart && !new_limits && !new_rules)) co_return plan;
  plan.effect = needs_restart ? UpdateEffect::restart : UpdateEffect::live;
  if (!needs_restart) co_return plan;
  if (entry->instance().status == InstanceStatus::failed) co_return plan;  // there may be nothing at the provider
  auto drops = co_await context_.providers.of(*entry).previewReplacement(entry->placeId(), Deadline::after(context_.options.startTimeout));
  plan.drops = drops.value_or(ReplacementLoss{.files = 0, .more = true, .folders = {}});
  co_return plan;
}

/// Checks changed members only: the others may predate a rule.
InstanceConfig Updates::changed(const Entry& entry, const UpdateRequest& request) const {
  const Provider& provider = context_.providers.of(entry);
  const InstanceConfig& old = entry.record.instance.config;
  InstanceConfig config = old;
  if (request.resources) config.resources = *request.resources;
  if (request.env) config.env = *request.env;
  if (request.network) config.network = *request.network;
  if (request.labels) config.labels = *request.labels;
  if (request.metadata) config.metadata = *request.metadata;
  if (request.security) config.security = *request.security;
  std::vector<std::string>& regions = config.network.regions;
  if (regions != old.network.regions) regions = offeredRegions(provider, std::move(regions), "/network/regions");
  bool new_network = differ(old.network, config.network);
  bool new_security = differ(old.security, config.security);
  if (!new_network && !new_security && !differ(old.resources, config.resources)) return config;
  InstanceSpec requested;
  requested.placeId = entry.placeId();
  requested.name = config.name;
  requested.owner = entry.record.instance.owner;
  requested.config.resources = config.resources;
  if (new_network)
    requested.config.network = config.network;
  else
    requested.config.network.regions = regions;
  if (new_security) requested.config.security = config.security;
  provider.checkRequest(requested);
  return config;
}

/// Those of its places, and what it mounts of a deleted instance.
awaitable<std::vector<VolumeOwner>> Updates::volumesFor(EntryPtr entry, std::string owner) {
  const Registry& registry = context_.registry;
  std::vector<VolumeOwner> all{{entry->placeId(), "", owner}};
  for (const auto& [id, place] : registry.places())
    if (place.instanceId == entry->id()) all.push_back({id, "", owner});
  const Instance& instance = entry->instance();
  const auto& storage = instance.config.storage;
  if (std::ranges::all_of(storage, [](const StorageConfig& one) { return one.volumeName.empty(); })) co_return all;
  for (VolumeInfo& volume : co_await context_.providers.of(*entry).listVolumes(Deadline::after(context_.options.startTimeout))) {
    // Hosts of one provider may have a volume of this name each.
    const bool is_mounted = volume.inUse && std::ranges::count(storage, volume.name, &StorageConfig::volumeName) > 0;
    if (!is_mounted || registry.instanceOfPlace(volume.placeId) == entry->id() || registry.ownerOf(volume) != instance.owner) continue;
    all.push_back({volume.placeId, volume.name, owner});
  }
  co_return all;
}

Reservation Updates::reserveFor(const Entry& entry, const std::string& owner, const Actor& actor) const {
  PlacedClaims claims;
  const auto add = [&](const PlaceId& place, Claim claim) {
    claim.owners.push_back(owner);
    claims.push_back({place, std::move(claim)});
  };
  add(entry.placeId(), claimOf(entry));
  for (const auto& [id, place] : context_.registry.places())
    if (place.instanceId == entry.id()) add(id, claimOf(place));
  return context_.limits.reserve(std::move(claims), actor);
}

awaitable<Instance> Updates::handOver(EntryPtr entry, std::string from, std::string owner, Actor actor) {
  requireIdle(*entry);
  Instance& instance = entry->instance();
  if (instance.owner != from) throw Error(ErrorCode::Conflict, "The workspace has been handed over in the meantime.");
  if (instance.owner == owner) co_return instance;
  requireUnshared(context_.registry, *entry, owner);
  const Reservation reservation = reserveFor(*entry, owner, actor);
  UpdatingGuard guard(entry);
  const std::vector<VolumeOwner> volumes = co_await volumesFor(entry, owner);
  InstanceRecord record = entry->record;
  record.instance.owner = owner;
  ++record.instance.version;
  co_await context_.store.handOverInstance(record, volumes);
  context_.registry.handOver(*entry, owner);
  for (const VolumeOwner& one : volumes) context_.registry.setVolumeOwner(one);
  instance.version = record.instance.version;
  context_.changes.changed(*entry);
  context_.routes.publish();  // before the caller ends what its former owner has open
  co_return instance;
}

awaitable<UpdateResult> Updates::update(EntryPtr entry, UpdateRequest request, Actor actor) {
  requireIdle(*entry);
  Instance& instance = entry->instance();
  InstanceConfig config = changed(*entry, request);
  UpdateResult result;
  bool is_ours_alone = !differ(config.env, instance.config.env) && !differ(config.network, instance.config.network) &&
                       !differ(config.security, instance.config.security) && !differ(config.resources, instance.config.resources) &&
                       !request.refreshImage;
  bool touches_provider = !is_ours_alone && touchesProvider(instance, request);
  Reservation reservation;  // before the provider changes anything
  if (differ(config.resources, instance.config.resources))
    reservation = context_.limits.reserve({{entry->placeId(), context_.limits.planned(instance.provider, instance.region, instance.owner,
                                                                                      config, entry->occupies ? Runs::Yes : Runs::No)}},
                                          actor);
  if (touches_provider) {
    bool is_live = false;
    if (instance.status != InstanceStatus::failed) {
      UpdatingGuard guard(entry);
      is_live = co_await applyLive(entry, config);
    }
    result.effect = is_live && !request.refreshImage ? UpdateEffect::live : UpdateEffect::restart;
  }
  if (result.effect == UpdateEffect::restart) {
    bool failed_running = instance.status == InstanceStatus::failed && instance.desired == InstanceStatus::running;
    UpdateParameters parameters;
    parameters.config = config;
    parameters.previous = instance.config;
    parameters.version = instance.version + 1;
    parameters.wasRunning = instance.status == InstanceStatus::running || failed_running;
    parameters.refreshImage = request.refreshImage;
    std::int64_t version = parameters.version;
    ActivePtr active = co_await runner_.submit(entry, std::move(parameters), std::move(actor));
    instance.config = config;
    instance.version = version;
    result.operation = active->record;
  } else {
    UpdatingGuard guard(entry);
    InstanceRecord record = entry->record;
    record.instance.config = config;
    ++record.instance.version;
    if (touches_provider) record.instance.resources = config.resources;
    co_await context_.store.updateInstance(record);
    instance.config = std::move(config);
    instance.version = record.instance.version;
    instance.resources = record.instance.resources;
    context_.changes.changed(*entry);
  }
  result.instance = instance;
  co_return result;
}

}  // namespace swarm::control
