// Restore: copies a snapshot's files to a new place, which one write makes the current one; the former place becomes a snapshot.
#include "base/text/format.h"
#include "controller/moves/copy_run.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"
#include "controller/snapshots/snapshots.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::Side;
constexpr std::chrono::seconds kFormerQueryTimeout{30};

/// The source is a snapshot of ours, or a reader of an automatic one of the provider. The instance's own agent is not involved.
class Restoring final : public CopyRun {
 public:
  Restoring(const OperationTools& tools, ActivePtr operation);

  awaitable<void> run() override;
  awaitable<void> undo(Error error) override;

 private:
  End source() const override;
  End target() const override { return {source().provider, place_id_}; }

  RestoreParameters& parameters() const { return operation_->parameters<RestoreParameters>(); }
  awaitable<void> bring();
  awaitable<void> openReader();
  awaitable<bool> formerRuns();
  awaitable<void> switchOver();

  PlaceId snapshot_id_;  ///< of a snapshot of ours
  PlaceId place_id_;
  PlaceId reader_id_;  ///< empty: the snapshot is ours
};

Restoring::Restoring(const OperationTools& tools, ActivePtr operation)
    : CopyRun(tools, operation, {.wasRunning = operation->parameters<RestoreParameters>().wasRunning}),
      snapshot_id_(parameters().snapshot),
      place_id_(parameters().place),
      reader_id_(parameters().reader.value_or(PlaceId())) {}

auto Restoring::source() const -> End {
  if (!reader_id_.empty()) return {context_.providers.of(*entry_), reader_id_};
  const PlaceRecord& snapshot = *context_.registry.findPlace(snapshot_id_);
  return {context_.providers.at(snapshot.provider), snapshot_id_};
}

awaitable<void> Restoring::run() {
  if (!parameters().phase) co_await bring();
  operation_->cancellable = false;
  if (parameters().wasRunning || parameters().wasFailed) {
    operation_->step(Step::Start);
    if (parameters().wasFailed) context_.changes.setStatus(*entry_, InstanceStatus::starting, "");
    co_await lifecycle_.startAndBringUp(operation_);
    operation_->cancellable = false;
  } else {
    co_await lifecycle_.stop(operation_, "");
  }
  operation_->fault("started");
  co_await closeLink();
  if (reader_id_.empty()) {
    places_.closeSoon(snapshot_id_);
  } else {
    co_await places_.discard(reader_id_);
  }
  places_.closeSoon(parameters().former.value_or(PlaceId()));
}

awaitable<void> Restoring::undo(Error error) {
  if (parameters().phase) {  // switched: the new place stays
    InstanceStatus status = entry_->instance().status == InstanceStatus::running ? InstanceStatus::running : InstanceStatus::failed;
    context_.changes.setStatus(*entry_, status,
                               format("The snapshot was restored, but the workspace did not start: {} Run `swarm start {}` to retry.",
                                      error.message(), entry_->instance().config.name));
    co_return;
  }
  co_await closeLink();
  std::string why = format("The snapshot was not restored: {}", error.message());
  if (parameters().wasRunning && entry_->instance().status != InstanceStatus::running) {
    context_.changes.setStatus(*entry_, InstanceStatus::starting, why);
    co_await lifecycle_.startAndBringUp(operation_);
  }
  context_.changes.setStatus(*entry_,
                             parameters().wasRunning  ? InstanceStatus::running
                             : parameters().wasFailed ? InstanceStatus::failed
                                                      : InstanceStatus::stopped,
                             why);
  co_await drop(place_id_);
  if (reader_id_.empty()) {
    places_.closeSoon(snapshot_id_);
  } else {
    co_await drop(reader_id_);
  }
}

/// The reader has a place of its own, as a target has: after a crash, the removal of unused places removes it.
awaitable<void> Restoring::openReader() {
  Make make = [this](InstanceSpec spec, Progress& progress, Deadline deadline) -> awaitable<ProviderInstance> {
    VolumeSnapshots* theirs = context_.providers.of(*entry_).volumeSnapshots();
    if (!theirs) throw Error(ErrorCode::Unsupported, "The provider takes no automatic snapshots.");
    SnapshotReader wanted{parameters().snapshot, spec.placeId, spec, entry_->record.external};
    wanted.of.placeId = entry_->placeId();
    co_return co_await theirs->openSnapshot(std::move(wanted), progress, deadline);
  };
  co_await makeHeldBy(placeOfOurs(reader_id_), std::move(make));
}

awaitable<void> Restoring::bring() {
  operation_->step(Step::OpenSnapshot);
  if (reader_id_.empty()) {
    co_await makeHeld(*context_.registry.findPlace(snapshot_id_), Volumes::Existing);
  } else {
    co_await openReader();
  }
  operation_->step(Step::CreateTarget);
  const PlaceRecord& read = *context_.registry.findPlace(source().place);
  PlaceRecord place = placeOfOurs(place_id_);
  place.provider = read.provider;
  place.region = read.region;
  place.config = parameters().config;
  co_await makeHeld(place, Volumes::New);
  co_await copyAll(RoundKind::Final);
  operation_->step(Step::Verify);
  co_await readBack();
  if (!co_await areEqual())
    throw Error(ErrorCode::UpstreamFailed, format("The copied files differ from the snapshot: {}.", co_await differences()));
  operation_->fault("verified");
  co_await switchOver();
}

/// According to the provider, not to our record: a former place on an unreachable host has nothing to stop.
awaitable<bool> Restoring::formerRuns() {
  auto query = [this]() -> awaitable<bool> {
    auto observed = co_await context_.providers.of(*entry_).getInstance(entry_->placeId(), Deadline::after(kFormerQueryTimeout));
    co_return observed && (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting);
  };
  co_return co_await lifecycle_.retrying(operation_, query);
}

/// The former place stops before the switch, which would lose later writes.
awaitable<void> Restoring::switchOver() {
  operation_->step(Step::Stop);
  bool may_run = parameters().wasRunning || parameters().wasFailed;
  if (may_run && co_await formerRuns()) co_await lifecycle_.stopContainer(operation_);
  operation_->step(Step::Switch);
  // A failed create has left no files for a snapshot.
  PlaceRole role = entry_->record.external.empty() ? PlaceRole::discarded : PlaceRole::snapshot;
  RestoreParameters after = parameters();
  after.phase = SwitchPhase::switched;
  after.former = entry_->placeId();
  co_await switchTo(place_id_, std::move(after), role, {}, "before-restore-" + timeName(context_.clock.now()));
}

class Restore final : public CopyHandler<RestoreParameters, Restoring> {
 public:
  using CopyHandler::CopyHandler;

 private:
  std::vector<PlaceId> placesOf(const RestoreParameters& parameters) const override {
    return {PlaceId(parameters.snapshot), parameters.place, parameters.reader.value_or(PlaceId()), parameters.former.value_or(PlaceId())};
  }
  /// The new place, to which the snapshot or a reader of it is copied; the former one becomes a snapshot.
  PlacedClaims needsOf(const Entry& entry, const RestoreParameters& parameters) const override {
    using enum Limits::Keeps;
    const Limits& limits = context_.limits;
    const Instance& instance = entry.record.instance;
    if (parameters.phase)  // only the start is left
      return parameters.wasRunning || parameters.wasFailed ? PlacedClaims{limits.running(entry)} : PlacedClaims();
    const PlaceRecord* snapshot = context_.registry.findPlace(PlaceId(parameters.snapshot));
    const ProviderType provider = snapshot ? snapshot->provider : instance.provider;
    const std::string& region = snapshot ? snapshot->region : instance.region;
    const InstanceConfig& source = snapshot ? snapshot->config : parameters.config;
    Claim restored = limits.temporary(provider, region, instance.owner, parameters.config, Files);
    if (parameters.wasFailed) restored.owned += std::exchange(restored.lent, {});  // it is started there
    return {{parameters.place, std::move(restored)},
            {snapshot ? snapshot->id : parameters.reader.value_or(PlaceId()),
             limits.temporary(provider, region, instance.owner, source, Nothing)}};
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeRestore(const OperationTools& tools) { return std::make_unique<Restore>(tools); }

}  // namespace swarm::control
