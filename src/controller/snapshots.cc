// Snapshots.
#include "controller/snapshots.h"

#include "base/format.h"
#include "base/id.h"
#include "controller/copy_run.h"
#include "controller/migration.h"
#include "model/codec.h"
#include "model/validation.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::Side;
constexpr int kMostTries = 3;
constexpr std::chrono::seconds kFreezeTimeout{20};

/// "20261126-0331": what a snapshot without a name is called, and what a restore calls the files that it replaces.
std::string timeName(SystemTime now) {
  std::string text = formatTime(now);  // 2026-11-26T03:31:07.123Z
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text.substr(0, 8) + "-" + text.substr(9, 6);
}

const boost::json::value& at(const ActivePtr& operation, std::string_view name) { return operation->operation.parameters.at(name); }

}  // namespace

/// The files of the instance go to volumes of their own; nothing is ended for it.
class Snapshots::Taking final : public CopyRun {
 public:
  Taking(Snapshots& owner, ActivePtr operation)
      : CopyRun(owner.core_, owner.lifecycle_, owner.places_, operation, ""), place_id_(at(operation, "place").as_string()) {}

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
  End source() const override { return {core_.providerOf(*entry_), entry_->placeId()}; }
  End target() const override { return {core_.providerOf(*entry_), place_id_}; }

  awaitable<void> take() {
    operation_->step("validate");
    co_await makeInstanceRun();
    operation_->step("create target");
    PlaceRecord place;
    place.id = place_id_;
    place.instanceId = entry_->id();
    place.owner = entry_->instance().owner;
    place.role = PlaceRole::target;
    place.provider = entry_->instance().provider;
    place.region = entry_->instance().region;
    place.config = fromJson<InstanceConfig>(parameters().at("config"), UnknownFields::Ignore);
    place.createdAt = core_.clock.now();
    co_await makeHeld(place, Volumes::New);
    operation_->step("copy");
    transfer::ScanReport all = co_await scan(Side::Source);
    teller_.totals(all.files, all.bytes);
    co_await round(RoundKind::Live);
    operation_->fault("copied");
    operation_->step("verify what was copied");
    co_await readBack();
    co_await round(RoundKind::Live);
    co_await catchMoment();
    co_await sync(Side::Target);
    operation_->fault("caught");
    place = core_.places.at(place_id_);
    place.role = PlaceRole::snapshot;
    place.name = text("name");
    place.files = all.files;
    place.bytes = all.bytes;
    place.createdAt = core_.clock.now();
    co_await places_.put(std::move(place));
    operation_->fault("taken");
  }

  /// Everything stands still while the last differences are copied and both sides are compared.
  awaitable<void> catchMoment() {
    operation_->step("freeze and verify");
    for (int n = 1;; ++n) {
      std::optional<Error> failure;
      bool is_equal = false;
      try {
        co_await core_.moveAgents()->freeze(co_await agentAt(source()), operation_->operation.id, Deadline::after(kFreezeTimeout));
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
    if (flag("wasRunning")) co_return;
    co_await lifecycle_.stopContainer(operation_);
    entry_->instance().desired = InstanceStatus::stopped;
    entry_->instance().network = NetworkInfo{};
    core_.setStatus(*entry_, InstanceStatus::stopped, "");
  }

  std::string place_id_;
};

/// The snapshot's files go to a new place, and one write makes it the place in force; the former one's files stay, as a snapshot.
class Snapshots::Restoring final : public CopyRun {
 public:
  Restoring(Snapshots& owner, ActivePtr operation)
      : CopyRun(owner.core_, owner.lifecycle_, owner.places_, operation, ""),
        snapshot_id_(at(operation, "snapshot").as_string()),
        place_id_(at(operation, "place").as_string()) {}

  awaitable<void> run() {
    if (text("phase") != "switched") co_await bring();
    operation_->cancellable = false;
    if (flag("wasRunning")) {
      operation_->step("start");
      co_await lifecycle_.startContainer(operation_);
      co_await lifecycle_.bringUp(operation_);
      operation_->cancellable = false;
    } else {
      co_await lifecycle_.stopContainer(operation_);
      core_.setStatus(*entry_, InstanceStatus::stopped, "");
    }
    operation_->fault("started");
    co_await closeLink();
    places_.closeSoon(snapshot_id_);
    places_.closeSoon(text("former"));
  }

  awaitable<void> goBack(Error error) {
    co_await closeLink();
    std::string why = format("No snapshot was restored: {}", error.message());
    if (flag("wasRunning") && entry_->instance().status != InstanceStatus::running) {
      core_.setStatus(*entry_, InstanceStatus::starting, why);
      co_await lifecycle_.startContainer(operation_);
      co_await lifecycle_.bringUp(operation_);
    }
    core_.setStatus(*entry_, flag("wasRunning") ? InstanceStatus::running : InstanceStatus::stopped, why);
    co_await drop(place_id_);
    places_.closeSoon(snapshot_id_);
  }

 private:
  End source() const override {
    const PlaceRecord& snapshot = core_.places.at(snapshot_id_);
    return {*core_.providers.at(snapshot.provider), snapshot_id_};
  }
  End target() const override { return {source().provider, place_id_}; }

  awaitable<void> bring() {
    operation_->step("open snapshot");
    PlaceRecord snapshot = core_.places.at(snapshot_id_);
    co_await makeHeld(snapshot, Volumes::Existing);
    operation_->step("create target");
    PlaceRecord place = snapshot;
    place.id = place_id_;
    place.instanceId = entry_->id();
    place.owner = entry_->instance().owner;
    place.role = PlaceRole::target;
    place.external.clear();
    if (auto known = core_.places.find(place_id_); known != core_.places.end()) place.external = known->second.external;
    place.name.clear();
    place.config = fromJson<InstanceConfig>(parameters().at("config"), UnknownFields::Ignore);
    place.createdAt = core_.clock.now();
    co_await makeHeld(place, Volumes::New);
    operation_->step("copy");
    transfer::ScanReport all = co_await scan(Side::Source);
    teller_.totals(all.files, all.bytes);
    co_await round(RoundKind::Final);
    operation_->fault("copied");
    operation_->step("verify");
    co_await readBack();
    if (!co_await areEqual())
      throw Error(ErrorCode::UpstreamFailed, format("The files that were brought are not the snapshot's: {}.", co_await differences()));
    operation_->fault("verified");
    co_await switchOver();
  }

  /// What people write now would be lost with the switch: they stop first.
  awaitable<void> switchOver() {
    operation_->step("stop");
    if (flag("wasRunning")) co_await lifecycle_.stopContainer(operation_);
    operation_->step("switch");
    operation_->cancellable = false;
    co_await operation_->settle();
    std::string former = entry_->placeId();
    Operation row = operation_->operation;
    row.parameters["phase"] = "switched";
    row.parameters["former"] = former;
    operation_->fault("switch");
    co_await places_.switchTo(entry_, place_id_, PlaceRole::snapshot, {}, row, "before-restore-" + timeName(core_.clock.now()));
    operation_->operation.parameters = row.parameters;
    operation_->fault("switched");
  }

  std::string snapshot_id_;
  std::string place_id_;
};

const PlaceRecord* Snapshots::find(const Entry& entry, const std::string& snapshot) const {
  for (const auto& [id, place] : core_.places) {
    bool is_meant = id == snapshot || (place.instanceId == entry.id() && place.name == snapshot);
    if (place.role == PlaceRole::snapshot && is_meant && place.owner == entry.record.instance.owner) return &place;
  }
  return nullptr;
}

boost::json::object Snapshots::parametersForTaking(const Entry& entry, std::string name) const {
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
  boost::json::object parameters;
  parameters["name"] = name;
  parameters["place"] = newId("i");
  parameters["config"] = toJson(config);
  parameters["wasRunning"] = entry.record.instance.status == InstanceStatus::running;
  return parameters;
}

boost::json::object Snapshots::parametersForRestoring(const Entry& entry, const std::string& snapshot) const {
  const Instance& instance = entry.record.instance;
  const PlaceRecord* place = find(entry, snapshot);
  if (!place)
    throw Error(ErrorCode::Unprocessable, format("There is no snapshot \"{}\" of {}.", snapshot, instance.config.name))
        .withField("/snapshot", "is not known");
  if (!core_.providers.contains(place->provider))
    throw Error(ErrorCode::Unavailable,
                format("The provider \"{}\" is not configured on this server any more.", enumName(place->provider)));
  InstanceConfig config = instance.config;
  config.storage = place->config.storage;
  config.network = instance.provider == place->provider ? instance.config.network : place->config.network;
  boost::json::object parameters;
  parameters["snapshot"] = place->id;
  parameters["place"] = newId("i");
  parameters["config"] = toJson(config);
  parameters["wasRunning"] = instance.status == InstanceStatus::running;
  return parameters;
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

awaitable<void> Snapshots::remove(std::string id) {
  auto found = core_.places.find(id);
  if (found == core_.places.end() || found->second.role != PlaceRole::snapshot)
    throw Error(ErrorCode::NotFound, format("There is no snapshot \"{}\".", id));
  if (places_.isInUse(id)) throw Error(ErrorCode::Conflict, "The snapshot is being taken or restored.").withRetryable(true);
  co_await places_.discard(std::move(id));
}

awaitable<void> Snapshots::perform(ActivePtr operation) {
  if (operation->operation.kind == OperationKind::snapshot) {
    auto taking = std::make_shared<Taking>(*this, operation);
    co_await taking->run();
  } else {
    auto restoring = std::make_shared<Restoring>(*this, operation);
    co_await restoring->run();
  }
}

awaitable<void> Snapshots::undo(ActivePtr operation, Error error) {
  if (operation->operation.kind == OperationKind::snapshot) {
    auto taking = std::make_shared<Taking>(*this, operation);
    co_return co_await taking->goBack(std::move(error));
  }
  const boost::json::value* phase = operation->operation.parameters.if_contains("phase");
  if (!phase) {
    auto restoring = std::make_shared<Restoring>(*this, operation);
    co_return co_await restoring->goBack(std::move(error));
  }
  EntryPtr entry = operation->entry;
  InstanceStatus status = entry->instance().status == InstanceStatus::running ? InstanceStatus::running : InstanceStatus::failed;
  core_.setStatus(*entry, status, format("The snapshot was restored, but: {} Start tries again.", error.message()));
}

}  // namespace swarm::control
