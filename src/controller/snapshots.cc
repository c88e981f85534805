// Snapshots.
#include "controller/snapshots.h"

#include "base/format.h"
#include "base/id.h"
#include "controller/copy_run.h"
#include "controller/migration.h"
#include "controller/operations/restore.h"
#include "model/codec.h"
#include "model/validation.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::Side;
constexpr int kMostTries = 3;
constexpr std::chrono::seconds kFreezeTimeout{20};
constexpr std::chrono::seconds kSnapshotListTimeout{8};  // somebody waits for the answer

}  // namespace

std::string timeName(SystemTime now) {
  std::string text = formatTime(now);  // 2026-11-26T03:31:07.123Z
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text.substr(0, 8) + "-" + text.substr(9, 6);
}

/// The files of the instance go to volumes of their own; nothing is ended for it.
class Snapshots::Taking final : public CopyRun {
 public:
  Taking(Snapshots& owner, ActivePtr operation)
      : CopyRun(owner.core_, owner.lifecycle_, owner.places_, operation,
                {.wasRunning = operation->parameters<SnapshotParameters>().wasRunning}),
        place_id_(parameters().place) {}

  awaitable<void> run() {
    auto known = core_.places.find(place_id_);
    bool is_taken = known != core_.places.end() && known->second.role == PlaceRole::snapshot;
    if (!is_taken) co_await take();
    operation_->cancellable = false;
    co_await closeLink();
    places_.closeSoon(place_id_);
    co_await leaveAsItWas();
  }

  awaitable<void> goBack(Error error) {
    co_await closeLink();
    auto known = core_.places.find(place_id_);
    bool is_taken = known != core_.places.end() && known->second.role == PlaceRole::snapshot;
    if (!is_taken) co_await drop(place_id_);
    co_await leaveAsItWas();
    core_.setStatus(*entry_, entry_->instance().status, format("No snapshot was taken: {}", error.message()));
  }

 private:
  SnapshotParameters& parameters() const { return operation_->parameters<SnapshotParameters>(); }
  End source() const override { return {core_.providerOf(*entry_), entry_->placeId()}; }
  End target() const override { return {core_.providerOf(*entry_), place_id_}; }

  awaitable<void> take() {
    operation_->step(Step::Validate);
    co_await makeInstanceRun();
    operation_->step(Step::CreateTarget);
    PlaceRecord place = placeOfOurs(place_id_);
    place.config = parameters().config;
    co_await makeHeld(place, Volumes::New);
    operation_->step(Step::Copy);
    transfer::ScanReport all = co_await scan(Side::Source);
    teller_.totals(all.files, all.bytes);
    co_await round(RoundKind::Live);
    operation_->fault("copied");
    operation_->step(Step::VerifyCopy);
    co_await readBack();
    co_await round(RoundKind::Live);
    co_await catchMoment();
    co_await sync(Side::Target);
    operation_->fault("caught");
    place = core_.places.at(place_id_);
    place.role = PlaceRole::snapshot;
    place.name = parameters().name;
    place.files = all.files;
    place.bytes = all.bytes;
    place.createdAt = core_.clock.now();
    co_await places_.put(std::move(place));
    operation_->fault("taken");
  }

  /// Everything stands still while the last differences are copied and both sides are compared.
  awaitable<void> catchMoment() {
    operation_->step(Step::FreezeAndVerify);
    for (int n = 1;; ++n) {
      std::optional<Error> failure;
      bool is_equal = false;
      try {
        co_await core_.moveAgents()->freeze(co_await agentAt(source()), operation_->record.id, Deadline::after(kFreezeTimeout));
        operation_->fault("frozen");
        co_await round(RoundKind::Final);
        is_equal = co_await areEqual();
      } catch (...) {
        failure = currentExceptionAsError();
      }
      if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;  // goBack thaws
      co_await thaw();
      if (failure) throw *failure;
      if (is_equal) co_return;
      if (n == kMostTries) throw Error(ErrorCode::UpstreamFailed, format("The files did not stand still: {}.", co_await differences()));
      co_await round(RoundKind::Live);
    }
  }

  awaitable<void> thaw() {
    std::optional<Error> failure;
    try {
      co_await core_.moveAgents()->thaw(co_await agentAt(source()), Deadline::after(kFreezeTimeout));
    } catch (...) {
      failure = currentExceptionAsError();  // it ends by itself within a minute
    }
    if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;
  }

  awaitable<void> leaveAsItWas() {
    co_await thaw();
    if (parameters().wasRunning) co_return;
    co_await lifecycle_.stopContainer(operation_);
    entry_->instance().desired = InstanceStatus::stopped;
    entry_->instance().network = NetworkInfo{};
    core_.setStatus(*entry_, InstanceStatus::stopped, "");
  }

  std::string place_id_;
};

const PlaceRecord* Snapshots::find(const Entry& entry, const std::string& snapshot) const {
  for (const auto& [id, place] : core_.places) {
    bool is_meant = id == snapshot || (place.instanceId == entry.id() && place.name == snapshot);
    if (place.role == PlaceRole::snapshot && is_meant && place.owner == entry.record.instance.owner) return &place;
  }
  return nullptr;
}

SnapshotParameters Snapshots::parametersForTaking(const Entry& entry, std::string name) const {
  if (name.empty()) name = timeName(core_.clock.now());
  if (!isResourceName(name))
    throw Error(ErrorCode::InvalidArgument, format("\"{}\" is no name for a snapshot.", name))
        .withField("/name", "must be 2 to 64 letters, digits, \"_\", \".\" and \"-\"");
  if (find(entry, name))
    throw Error(ErrorCode::AlreadyExists, format("There is a snapshot \"{}\" of {} already.", name, entry.record.instance.config.name))
        .withField("/name", "is taken");
  InstanceConfig config = entry.record.instance.config;
  for (StorageConfig& storage : config.storage) storage.volumeName.clear();
  config.network.exposedPorts.clear();  // nobody asks it
  SnapshotParameters parameters;
  parameters.name = std::move(name);
  parameters.place = newId("i");
  parameters.config = std::move(config);
  parameters.wasRunning = entry.record.instance.status == InstanceStatus::running;
  return parameters;
}

/// What a provider takes by itself, of this entry; null when it takes none.
VolumeSnapshots* Snapshots::providersOwn(const Entry& entry) const {
  auto provider = core_.providers.find(entry.record.instance.provider);
  return provider == core_.providers.end() ? nullptr : provider->second->volumeSnapshots();
}

awaitable<RestoreParameters> Snapshots::parametersForRestoring(EntryPtr entry, std::string snapshot) const {
  const PlaceRecord* place = find(*entry, snapshot);
  VolumeSnapshots* theirs = place ? nullptr : providersOwn(*entry);
  bool is_theirs = false;
  if (theirs && theirs->isSnapshotId(snapshot)) {
    auto all = co_await theirs->listSnapshots(entry->placeId(), entry->record.external, Deadline::after(kSnapshotListTimeout));
    is_theirs = std::ranges::any_of(all, [&](const VolumeSnapshot& one) { return one.id == snapshot; });
    if (entry->removed) throw Error(ErrorCode::NotFound, "The workspace was deleted meanwhile.").withInstance(entry->id());
  }
  const Instance& instance = entry->record.instance;
  if (!place && !is_theirs)
    throw Error(ErrorCode::Unprocessable, format("There is no snapshot \"{}\" of {}.", snapshot, instance.config.name))
        .withField("/snapshot", "is not known");
  if (place && !core_.providers.contains(place->provider))
    throw Error(ErrorCode::Unavailable,
                format("The provider \"{}\" is not configured on this server any more.", enumName(place->provider)));
  InstanceConfig config = instance.config;
  RestoreParameters parameters;
  if (place) {
    config.storage = place->config.storage;
    config.network = instance.provider == place->provider ? instance.config.network : place->config.network;
  } else {
    for (StorageConfig& storage : config.storage) storage.volumeName.clear();
    parameters.reader = newId("i");
  }
  parameters.snapshot = place ? place->id : snapshot;
  parameters.place = newId("i");
  parameters.config = std::move(config);
  parameters.wasRunning = instance.status == InstanceStatus::running;
  parameters.wasFailed = instance.status == InstanceStatus::failed;
  co_return parameters;
}

std::vector<Snapshot> Snapshots::list() const {
  std::vector<Snapshot> list;
  for (const auto& [id, place] : core_.places) {
    if (place.role != PlaceRole::snapshot) continue;
    list.push_back({id, place.name, place.instanceId, place.config.name, place.owner, place.provider, place.region, place.createdAt,
                    place.files, place.bytes});
  }
  return list;
}

awaitable<SnapshotList> Snapshots::listOf(EntryPtr entry) const {
  SnapshotList answer;
  for (Snapshot& one : list())
    if (one.instanceId == entry->id()) answer.items.push_back(std::move(one));
  VolumeSnapshots* theirs = providersOwn(*entry);
  if (!theirs) co_return answer;
  const Instance instance = entry->record.instance;
  try {
    auto all = co_await theirs->listSnapshots(entry->placeId(), entry->record.external, Deadline::after(kSnapshotListTimeout));
    for (const VolumeSnapshot& one : all)
      answer.items.push_back({one.id, one.id, instance.id, instance.config.name, instance.owner, instance.provider, instance.region,
                              one.createdAt, 0, one.bytes, true, one.expiresAt});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
    answer.missing =
        format("{} could not be asked for the snapshots that it takes by itself: {}", placeTitle(instance.provider), error.message());
  }
  co_return answer;
}

awaitable<void> Snapshots::remove(std::string id) {
  for (const auto& [type, provider] : core_.providers) {
    VolumeSnapshots* theirs = provider->volumeSnapshots();
    if (theirs && theirs->isSnapshotId(id))
      throw Error(ErrorCode::Unprocessable,
                  format("{} took the snapshot {} by itself, and deletes it by itself when its time is over (swarm "
                         "snapshot list INSTANCE says when). It can't be deleted before.",
                         placeTitle(type), id));
  }
  auto found = core_.places.find(id);
  if (found == core_.places.end() || found->second.role != PlaceRole::snapshot)
    throw Error(ErrorCode::NotFound, format("There is no snapshot \"{}\".", id));
  if (places_.isInUse(id)) throw Error(ErrorCode::Conflict, "The snapshot is being taken or restored.").withRetryable(true);
  co_await places_.discard(std::move(id));
}

awaitable<void> Snapshots::perform(ActivePtr operation) {
  if (operation->record.kind == OperationKind::snapshot) {
    auto taking = std::make_shared<Taking>(*this, operation);
    co_await taking->run();
  } else {
    auto restoring = std::make_shared<Restoring>(*this, operation);
    co_await restoring->run();
  }
}

awaitable<void> Snapshots::undo(ActivePtr operation, Error error) {
  if (operation->record.kind == OperationKind::snapshot) {
    auto taking = std::make_shared<Taking>(*this, operation);
    co_return co_await taking->goBack(std::move(error));
  }
  if (!operation->parameters<RestoreParameters>().phase) {
    auto restoring = std::make_shared<Restoring>(*this, operation);
    co_return co_await restoring->goBack(std::move(error));
  }
  EntryPtr entry = operation->entry;
  InstanceStatus status = entry->instance().status == InstanceStatus::running ? InstanceStatus::running : InstanceStatus::failed;
  core_.setStatus(*entry, status, format("The snapshot was restored, but: {} Start tries again.", error.message()));
}

}  // namespace swarm::control
