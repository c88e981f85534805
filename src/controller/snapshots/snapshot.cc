// Snapshot: copies the files of an instance at one moment to volumes of their own.
#include "base/text/format.h"
#include "controller/moves/copy_run.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::Side;
constexpr int kMaxAttempts = 3;
constexpr std::chrono::seconds kFreezeTimeout{20};

/// Copies the instance's files without ending its processes.
class Taking final : public CopyRun {
 public:
  Taking(const OperationTools& tools, ActivePtr operation)
      : CopyRun(tools, operation, {.wasRunning = operation->parameters<SnapshotParameters>().wasRunning}), place_id_(parameters().place) {}

  awaitable<void> run() override {
    if (!isTaken()) co_await take();
    operation_->cancellable = false;
    co_await closeLink();
    places_.closeSoon(place_id_);
    co_await leaveAsItWas();
  }

  awaitable<void> undo(Error error) override {
    co_await closeLink();
    if (!isTaken()) co_await drop(place_id_);
    co_await leaveAsItWas();
    context_.changes.setStatus(*entry_, entry_->instance().status, format("The snapshot was not taken: {}", error.message()));
  }

 private:
  SnapshotParameters& parameters() const { return operation_->parameters<SnapshotParameters>(); }
  End source() const override { return {context_.providers.of(*entry_), entry_->placeId()}; }
  End target() const override { return {context_.providers.of(*entry_), place_id_}; }

  bool isTaken() const {
    const PlaceRecord* known = context_.registry.findPlace(place_id_);
    return known && known->role == PlaceRole::snapshot;
  }

  awaitable<void> take() {
    operation_->step(Step::Validate);
    co_await makeInstanceRun();
    operation_->step(Step::CreateTarget);
    PlaceRecord place = placeOfOurs(place_id_);
    place.config = parameters().config;
    co_await makeHeld(place, Volumes::New);
    transfer::ScanReport all = co_await copyAll(RoundKind::Live);
    operation_->step(Step::VerifyCopy);
    co_await readBack();
    co_await round(RoundKind::Live);
    co_await catchMoment();
    co_await sync(Side::Target);
    operation_->fault("caught");
    place = *context_.registry.findPlace(place_id_);
    place.role = PlaceRole::snapshot;
    place.name = parameters().name;
    place.files = all.files;
    place.bytes = all.bytes;
    place.createdAt = context_.clock.now();
    co_await places_.put(std::move(place));
    operation_->fault("taken");
  }

  /// The user's processes are stopped while the last differences are copied and both sides compared.
  awaitable<void> catchMoment() {
    operation_->step(Step::FreezeAndVerify);
    for (int n = 1;; ++n) {
      auto is_equal = co_await attemptUnlessCancelled(compareFrozen());  // when cancelled, undo() thaws
      co_await thaw();
      if (!is_equal) throw is_equal.error();
      if (*is_equal) co_return;
      if (n == kMaxAttempts) throw Error(ErrorCode::UpstreamFailed, format("The files kept changing: {}.", co_await differences()));
      co_await round(RoundKind::Live);
    }
  }

  awaitable<bool> compareFrozen() {
    co_await context_.options.moveAgents->freeze(co_await agentAt(source()), operation_->record.id, Deadline::after(kFreezeTimeout));
    operation_->fault("frozen");
    co_await round(RoundKind::Final);
    co_return co_await areEqual();
  }

  /// After a failure, the freeze expires within a minute.
  awaitable<void> thaw() {
    auto thaw_now = [this]() -> awaitable<void> {
      co_await context_.options.moveAgents->thaw(co_await agentAt(source()), Deadline::after(kFreezeTimeout));
    };
    co_await attemptUnlessCancelled(thaw_now());
  }

  awaitable<void> leaveAsItWas() {
    co_await thaw();
    if (parameters().wasRunning) co_return;
    co_await lifecycle_.stop(operation_, "");
  }

  PlaceId place_id_;
};

class TakeSnapshot final : public CopyHandler<SnapshotParameters, Taking> {
 public:
  using CopyHandler::CopyHandler;

 private:
  std::vector<PlaceId> placesOf(const SnapshotParameters& parameters) const override { return {parameters.place}; }
  /// A stopped instance runs while its files are copied.
  PlacedClaims needsOf(const Entry& entry, const SnapshotParameters& parameters) const override {
    const Instance& instance = entry.record.instance;
    return {context_.limits.running(entry),
            {parameters.place,
             context_.limits.temporary(instance.provider, instance.region, instance.owner, parameters.config, Limits::Keeps::Files)}};
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeSnapshot(const OperationTools& tools) { return std::make_unique<TakeSnapshot>(tools); }

}  // namespace swarm::control
