// Snapshot: copies the files of an instance at one moment to volumes of their own.
#include "base/text/format.h"
#include "controller/moves/copy_run.h"
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
    core_.setStatus(*entry_, entry_->instance().status, format("The snapshot was not taken: {}", error.message()));
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
    progress_.totals(all.files, all.bytes);
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

  /// The user's processes are stopped while the last differences are copied and both sides compared.
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
      if (n == kMaxAttempts) throw Error(ErrorCode::UpstreamFailed, format("The files kept changing: {}.", co_await differences()));
      co_await round(RoundKind::Live);
    }
  }

  awaitable<void> thaw() {
    std::optional<Error> failure;
    try {
      co_await core_.moveAgents()->thaw(co_await agentAt(source()), Deadline::after(kFreezeTimeout));
    } catch (...) {
      failure = currentExceptionAsError();  // the freeze expires within a minute
    }
    if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;
  }

  awaitable<void> leaveAsItWas() {
    co_await thaw();
    if (parameters().wasRunning) co_return;
    co_await lifecycle_.stopContainer(operation_);
    lifecycle_.setStopped(*entry_, "");
  }

  std::string place_id_;
};

class TakeSnapshot final : public HandlerOf<SnapshotParameters> {
 public:
  using HandlerOf::HandlerOf;

  /// Each request is of another moment.
  bool joins(const Operation&) const override { return false; }

  awaitable<void> perform(ActivePtr operation) override {
    auto taking = std::make_shared<Taking>(tools_, operation);
    co_await taking->run();
  }

  awaitable<void> undo(ActivePtr operation, Error error) override {
    auto taking = std::make_shared<Taking>(tools_, operation);
    co_await taking->goBack(std::move(error));
  }

 private:
  std::vector<std::string> placesOf(const SnapshotParameters& parameters) const override { return {parameters.place}; }
};

}  // namespace

std::unique_ptr<OperationHandler> makeSnapshot(const OperationTools& tools) { return std::make_unique<TakeSnapshot>(tools); }

}  // namespace swarm::control
