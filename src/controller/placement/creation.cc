// Creation: placement, defaults, names, Idempotency-Keys.
#include "controller/placement/creation.h"

#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/rules/validation.h"
#include "protocol/ed25519.h"

namespace swarm::control {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::chrono::seconds kFirstQueryTimeout{5};
constexpr std::chrono::seconds kVolumesTimeout{30};

/// Holds a key while its first request is in progress.
class KeyGuard {
 public:
  KeyGuard(std::set<std::string>& keys, std::string key) : keys_(keys), key_(std::move(key)) {
    if (!keys_.insert(key_).second)
      throw Error(ErrorCode::Conflict, "A request with this Idempotency-Key is in progress.").withRetryable(true);
  }
  ~KeyGuard() { keys_.erase(key_); }
  KeyGuard(const KeyGuard&) = delete;
  KeyGuard& operator=(const KeyGuard&) = delete;

 private:
  std::set<std::string>& keys_;
  std::string key_;
};

/// Names the next step when the workspace is the owner's and does not run.
Error nameTaken(const Registry& registry, const std::string& name, const std::string& owner) {
  std::string message = format("There is already a workspace named \"{}\".", name);
  if (const EntryPtr entry = registry.find(name); entry && entry->record.instance.owner == owner) {
    const InstanceStatus status = entry->record.instance.status;
    if (status == InstanceStatus::failed || status == InstanceStatus::stopped)
      message = format("You already have a workspace named \"{0}\": it is {1}. Run `swarm start {0}` or `swarm delete {0}`.", name,
                       enumName(status));
  }
  return Error(ErrorCode::AlreadyExists, std::move(message)).withField("/name", "is taken");
}

/// Reserves a name until the instance exists; releases it otherwise.
class NameGuard {
 public:
  NameGuard(Registry& registry, const std::string& name, const InstanceId& id, const std::string& owner)
      : registry_(registry), name_(name), id_(id) {
    if (!registry.reserve(name, id)) throw nameTaken(registry, name, owner);
  }
  ~NameGuard() {
    if (!kept_) registry_.unreserve(name_, id_);
  }
  NameGuard(const NameGuard&) = delete;
  NameGuard& operator=(const NameGuard&) = delete;
  void keep() { kept_ = true; }

 private:
  Registry& registry_;
  std::string name_;
  InstanceId id_;
  bool kept_ = false;
};

/// Counts an instance until it is in the registry.
class PendingGuard {
 public:
  using Pending = std::multiset<std::pair<std::string, std::string>>;
  PendingGuard(Pending& pending, Pending::value_type one) : pending_(pending), own_(pending.insert(std::move(one))) {}
  ~PendingGuard() { pending_.erase(own_); }
  PendingGuard(const PendingGuard&) = delete;
  PendingGuard& operator=(const PendingGuard&) = delete;

 private:
  Pending& pending_;
  Pending::iterator own_;
};

std::string fingerprintOf(const CreateRequest& request) {
  std::string text = request.provider ? std::string(enumName(*request.provider)) : "";
  text += "\n" + request.owner + "\n" + boost::json::serialize(toJson(request.config));
  return toHex(sha256(text));
}

bool isDefault(const ResourceConfig& resources) { return toJson(resources) == toJson(ResourceConfig{}); }

/// The defaults, reduced to what the provider's machine has and what an instance may have: the user did not request them.
ResourceConfig fitting(ResourceConfig resources, const Provider& provider, const ResourceLimits& limits) {
  if (const double cores = limits.cpu.value_or(0); cores > 0) resources.cpu.cores = std::min(resources.cpu.cores, cores);
  if (const std::int64_t memory = limits.memory.value_or(0); memory > 0) resources.memory.max = std::min(resources.memory.max, memory);
  if (const std::int64_t storage = limits.storage.value_or(0); storage > 0)
    resources.storage.size = std::min(resources.storage.size, storage);
  // A provider with several machines reports their sum; an instance is at most as large as one of them.
  ResourceConfig most = provider.getProviderCapabilities().maxResourcesPerInstance;
  if (double cores = provider.cpuTotal().total; cores > 0) resources.cpu.cores = std::min({resources.cpu.cores, cores, most.cpu.cores});
  if (double memory = provider.memoryTotal().total; memory > 0) {
    memory = std::min(memory, static_cast<double>(most.memory.max));
    // The machine itself needs the rest.
    resources.memory.max = std::min(resources.memory.max, static_cast<std::int64_t>(memory * 0.8));
  }
  resources.memory.min = std::min(resources.memory.min, resources.memory.max);
  resources.shmSize = std::min(resources.shmSize, resources.memory.max);
  return resources;
}

}  // namespace

Creation::Creation(const Context& context, OperationRunner& runner)
    : context_(context), runner_(runner), placement_(makePlacement(context.options.placement, context.options.defaultProvider)) {}

std::vector<PlacementCandidate> Creation::candidates() const {
  std::map<ProviderType, PlacementCandidate> found;
  for (const auto& [type, provider] : context_.providers)
    found[type] = {.type = type,
                   .health = provider->health().status,
                   .memory = {0, provider->memoryTotal().total},
                   .regions = provider->getProviderCapabilities().supportedRegions,
                   .costRank = provider->info().costRank};
  for (const auto& [id, entry] : context_.registry.instances()) {
    const Instance& instance = entry->record.instance;
    auto candidate = found.find(instance.provider);
    if (candidate == found.end()) continue;
    ++candidate->second.instances;
    if (instance.status == InstanceStatus::running) candidate->second.memory.used += static_cast<double>(instance.resources.memory.max);
  }
  std::vector<PlacementCandidate> list;
  for (auto& [type, candidate] : found) list.push_back(std::move(candidate));
  return list;
}

InstanceConfig Creation::complete(const CreateRequest& request, const Provider& provider) const {
  InstanceConfig config = request.config;
  if (isDefault(config.resources))
    config.resources = fitting(context_.options.defaultResources, provider, context_.options.limits.instance);
  ConfigDefaults defaults{context_.options.instanceNamePrefix, context_.options.workspaceImage};
  defaults.home.size = config.resources.storage.size;
  defaults.home.persistent = config.resources.storage.persistent;
  const Registry& registry = context_.registry;
  fillInDefaults(config, defaults, [&](std::string_view name) { return registry.isTaken(name) || registry.holdOf(name); });
  for (const auto& [key, value] : context_.options.tags) config.labels.try_emplace(key, value);
  return config;
}

/// Refuses early what the provider cannot create now. A reported outage may be old, or precede the first response: it is verified.
awaitable<void> Creation::checkAvailable(ProviderType type, const InstanceId& id) const {
  Provider& provider = context_.providers.at(type);
  if (provider.health().status == ProviderHealth::unavailable) {
    auto response = co_await attempt(provider.getInstance(firstPlaceOf(id), Deadline::after(kFirstQueryTimeout)));
    if (!response)
      throw Error(ErrorCode::Unavailable, format("The provider \"{}\" is not available: {}", enumName(type), response.error().message()))
          .withCause(response.error().cause());
  }
}

/// The provider compares its label, which keeps the owner at the time of the volume's creation: after a hand-over, the files are another
/// user's. The provider refuses volumes whose label has another owner.
awaitable<void> Creation::checkVolumes(Provider& provider, const CreateRequest& request) const {
  const auto& storage = request.config.storage;
  if (std::ranges::all_of(storage, [](const StorageConfig& one) { return one.volumeName.empty(); })) co_return;
  for (const VolumeInfo& volume : co_await provider.listVolumes(Deadline::after(kVolumesTimeout))) {
    const auto wanted = std::ranges::find(storage, volume.name, &StorageConfig::volumeName);
    if (wanted == storage.end() || volume.owner != request.owner) continue;
    if (context_.registry.ownerOf(volume) == request.owner) continue;
    throw Error(ErrorCode::Unprocessable,
                format("The volume {} does not belong to {}. Choose another volumeName.", volume.name, request.owner))
        .withField("/storage", "the volume belongs to another user");
  }
}

void Creation::checkCount(const CreateRequest& request) const {
  if (request.maxInstances <= 0) return;
  const auto counts = [&](std::string_view owner, std::string_view name) {
    return owner == request.owner && name.starts_with(request.namePrefix);
  };
  auto count = std::ranges::count_if(context_.registry.instances(), [&](const auto& one) {
    return counts(one.second->instance().owner, one.second->instance().config.name);
  });
  count += std::ranges::count_if(pending_, [&](const auto& one) {
    const EntryPtr entry = context_.registry.find(std::string_view(one.second));
    return !entry && counts(one.first, one.second);
  });
  if (count > request.maxInstances)
    throw Error(ErrorCode::Conflict,
                format("This access token permits {}{}, which exist{} already. Delete one first.",
                       request.maxInstances == 1 ? "1 workspace" : format("{} workspaces", request.maxInstances),
                       request.namePrefix.empty() ? "" : format(" named {}*", request.namePrefix), request.maxInstances == 1 ? "s" : ""));
}

awaitable<std::optional<InstanceAndOperation>> Creation::replay(const Store::IdempotencyEntry& first, const std::string& fingerprint,
                                                                const std::string& owner) {
  if (first.fingerprint != fingerprint) throw Error(ErrorCode::Unprocessable, "This Idempotency-Key was used before with another request.");
  auto operation = co_await runner_.get(first.operationId);
  if (!operation) co_return std::nullopt;  // a crash between key and row: the operation was never created
  if (operation->owner != owner)
    throw Error(ErrorCode::Conflict, "The workspace that this Idempotency-Key created belongs to another user now. Use a new key.");
  InstanceAndOperation result;
  result.operation = std::move(*operation);
  result.replayed = true;
  if (EntryPtr entry = context_.registry.find(first.instanceId)) {
    result.instance = entry->record.instance;
  } else {  // created, and deleted since
    result.instance.id = first.instanceId;
    result.instance.owner = result.operation.owner;
    result.instance.config.name = result.operation.instanceName;
    result.instance.status = InstanceStatus::deleted;
    result.instance.desired = InstanceStatus::deleted;
    result.instance.createdAt = result.instance.lastActive = result.operation.createdAt;
    result.instance.observedAt = result.operation.updatedAt;
  }
  co_return result;
}

awaitable<InstanceAndOperation> Creation::create(CreateRequest request) {
  if (context_.operations.isClosing()) throw Error(ErrorCode::Unavailable, "The server is shutting down.");
  InstanceId id(newId("i"));
  std::string operation_id = newId("op");
  if (request.idempotencyKey.empty()) co_return co_await createNew(std::move(request), id, operation_id);

  KeyGuard guard(keys_in_use_, request.actor.name + "\n" + request.idempotencyKey);
  std::string fingerprint = fingerprintOf(request);
  auto first = co_await context_.store.findIdempotencyKey(request.actor.name, request.idempotencyKey);
  if (first) {
    auto result = co_await replay(*first, fingerprint, request.owner);
    if (result) co_return std::move(*result);
    id = first->instanceId;
    operation_id = first->operationId;
  } else {
    // Before the row: a retry after a crash in between finds the intended ids.
    Store::IdempotencyEntry entry{fingerprint, id, operation_id};
    co_await context_.store.putIdempotencyKey(request.actor.name, request.idempotencyKey, std::move(entry));
  }
  co_return co_await createNew(std::move(request), id, operation_id);
}

awaitable<InstanceAndOperation> Creation::createNew(CreateRequest request, InstanceId id, std::string operation_id) {
  std::vector<std::string>& regions = request.config.network.regions;
  ProviderType type = placement_->choose({request.provider, regions}, candidates());
  Provider& provider = context_.providers.at(type);
  regions = offeredRegions(provider, std::move(regions), "/network/regions");
  co_await checkAvailable(type, id);

  auto entry = std::make_shared<Entry>();
  Instance& instance = entry->instance();
  instance.config = complete(request, provider);
  InstanceSpec requested;
  requested.placeId = firstPlaceOf(id);
  requested.name = instance.config.name;
  requested.owner = request.owner;
  requested.config = instance.config;
  requested.imageChoice = request.imageChoice;
  provider.checkRequest(requested);
  co_await checkVolumes(provider, request);
  NameGuard name(context_.registry, instance.config.name, id, request.owner);
  const PendingGuard pending(pending_, {request.owner, instance.config.name});
  checkCount(request);
  if (const NameHold* hold = context_.registry.holdOf(instance.config.name); hold && hold->owner != request.owner)
    throw Error(
        ErrorCode::AlreadyExists,
        format("The name \"{}\" is reserved for the former owner of a deleted workspace until {}. Choose another one; an administrator can "
               "release it with `swarm names free {}`.",
               instance.config.name, formatTime(hold->until), instance.config.name))
        .withField("/name", "is reserved for its former owner");
  instance.id = id;
  instance.owner = request.owner;
  instance.provider = type;
  instance.createdAt = context_.clock.now();
  instance.lastActive = instance.createdAt;
  instance.observedAt = instance.createdAt;
  instance.resources = provider.effectiveResources(instance.config.resources);
  entry->occupies = true;
  instance.url = urlOf(context_.options, instance.config.name);
  entry->record.agentSecret = Secret(toHex(randomBytes(kSecretBytes)));
  entry->record.agentKey = Secret(toHex(randomBytes(ed25519::kSeedBytes)));
  Claim claim = context_.limits.planned(type, {}, request.owner, instance.config, Runs::Yes);
  if (auto with_room = context_.limits.regionsWithRoom(type, claim.regions, claim.owned); with_room != claim.regions)
    claim.regions = instance.config.network.regions = std::move(with_room);
  Reservation reservation = context_.limits.reserve({{firstPlaceOf(id), std::move(claim)}}, request.actor);
  OperationRecord operation = runner_.make(*entry, CreateParameters{}, request.actor);
  operation.id = std::move(operation_id);
  ActivePtr active = co_await runner_.submitCreate(entry, std::move(operation), std::move(reservation));
  name.keep();
  context_.routes.publish();  // the client may open the URL as soon as it has the response
  log::info("instance accepted",
            {{"instance", id}, {"name", instance.config.name}, {"owner", request.owner}, {"provider", enumName(type)}});
  co_return InstanceAndOperation{entry->record.instance, active->record};
}

std::string urlOf(const ControllerOptions& options, const std::string& name) {
  std::string url = options.urlPattern;
  constexpr std::string_view place = "{name}";
  auto at = url.find(place);
  if (at != std::string::npos) url.replace(at, place.size(), name);
  return url;
}

}  // namespace swarm::control
