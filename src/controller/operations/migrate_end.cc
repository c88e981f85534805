// Move: after the switch, and back from before it.
#include "base/format.h"
#include "base/log.h"
#include "controller/agent_watch.h"
#include "controller/lifecycle.h"
#include "controller/operations/migrate.h"
#include "controller/reconcile.h"
#include "controller/retrying.h"
#include "model/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kLookTimeout{30};
constexpr int kMostStarts = 3;

}  // namespace

awaitable<void> Migration::Move::finish() {
  co_await closeLink();
  operation_->cancellable = false;
  if (parameters().wasRunning) {
    teller_.stepInPause(Step::Start);
    for (int n = 1; !co_await startThere(n == kMostStarts); ++n) {
    }
  } else {
    co_await lifecycle_.stopContainer(operation_);
    entry_->instance().desired = InstanceStatus::stopped;
    entry_->instance().network = NetworkInfo{};
    core_.setStatus(*entry_, InstanceStatus::stopped, "");
  }
  operation_->cancellable = false;
  operation_->fault("started");
  co_await retire(parameters().former.value_or(""));
  operation_->fault("retired");
}

/// There is no way back any more: a target that ended meanwhile, or ends as it is started, is started again before anybody has to do it.
awaitable<bool> Migration::Move::startThere(bool last) {
  std::optional<Error> failure;
  try {
    co_await lifecycle_.startContainer(operation_);
    co_await lifecycle_.bringUp(operation_);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  operation_->cancellable = false;
  if (!failure && !entry_->ready) {
    std::string reason = entry_->instance().statusReason;
    throw Error(ErrorCode::UpstreamFailed, reason.empty() ? "VS Code does not answer there." : reason);
  }
  if (!failure) co_return true;
  if (last || failure->code() == ErrorCode::Cancelled) throw *failure;
  log::warning("a move's target did not start; trying again", {{"operation", operation_->record.id}, {"error", failure->message()}});
  co_return false;
}

/// The target works: the source is not needed any more, or kept for a time. What can't be done now is done later; the move has succeeded.
awaitable<void> Migration::Move::retire(std::string former) {
  entry_->moving.reset();
  core_.routeChanged(*entry_);
  operation_->step(Step::RetireSource);
  if (!parameters().keepSource) co_await places_.discard(former);
  std::optional<Error> failure;
  try {
    if (parameters().keepSource) {
      auto kept = core_.places.find(former);
      if (kept == core_.places.end()) co_return;
      PlaceProgress progress(core_, former, operation_);
      co_await core_.providers.at(kept->second.provider)
          ->stopInstance(former, core_.options.stopGrace, progress, Deadline::after(core_.options.startTimeout));
      std::vector<std::string> older;
      for (const auto& [id, place] : core_.places)
        if (place.instanceId == entry_->id() && place.role == PlaceRole::kept && id != former) older.push_back(id);
      for (const std::string& id : older) co_await places_.discard(id);
    } else {
      co_await places_.removeNow(former, operation_);
    }
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (!failure) co_return;
  if (failure->code() == ErrorCode::Cancelled) throw *failure;
  operation_->detail(format("It is done later: {}", failure->message()));
  log::warning("the source of a move could not be retired yet", {{"operation", operation_->record.id}, {"error", failure->message()}});
}

awaitable<void> Migration::Move::goBack(Error error) {
  co_await closeLink();
  bool by_a_person = error.code() == ErrorCode::Cancelled;
  std::string why = by_a_person ? std::string("Its move was cancelled.") : format("It was not moved: {}", error.message());
  operation_->step(Step::GoBack);
  co_await sourceBack(why);
  entry_->moving.reset();
  core_.routeChanged(*entry_);
  operation_->fault("source_back");
  co_await dropTarget();
}

/// People first: the source runs again before anything is tidied up.
awaitable<void> Migration::Move::sourceBack(const std::string& why) {
  std::optional<Error> failure;
  try {
    bool untouched = entry_->instance().status == InstanceStatus::running && entry_->endpoint && entry_->ready;
    if (parameters().wasRunning && untouched) {
      auto observed = co_await core_.providerOf(*entry_).getInstance(entry_->placeId(), Deadline::after(kLookTimeout));
      if (observed && observed->status == InstanceStatus::running) {
        core_.setStatus(*entry_, InstanceStatus::running, why);
        co_return;
      }
    }
    if (parameters().wasRunning) {
      entry_->instance().desired = InstanceStatus::running;
      core_.setStatus(*entry_, InstanceStatus::starting, why);
      co_await lifecycle_.startContainer(operation_);
      co_await lifecycle_.bringUp(operation_);
      if (entry_->instance().statusReason.empty()) core_.setStatus(*entry_, InstanceStatus::running, why);
    } else {
      co_await lifecycle_.stopContainer(operation_);
      entry_->instance().desired = InstanceStatus::stopped;
      entry_->instance().network = NetworkInfo{};
      core_.setStatus(*entry_, InstanceStatus::stopped, why);
    }
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (!failure) co_return;
  if (failure->code() == ErrorCode::Cancelled) throw *failure;
  core_.breakConnections(*entry_);
  core_.setStatus(*entry_, InstanceStatus::failed,
                  format("{} Where it was, it does not start now: {} Its files are there; start tries again.", why, failure->message()));
}

awaitable<void> Migration::Move::dropTarget() {
  auto found = core_.places.find(place_id_);
  if (found == core_.places.end()) co_return;
  if (!parameters().reused) co_return co_await drop(place_id_);
  std::optional<Error> failure;
  try {
    PlaceRecord place = found->second;
    place.role = PlaceRole::kept;
    co_await places_.put(std::move(place));
    PlaceProgress progress(core_, place_id_, operation_);
    co_await targetProvider().stopInstance(place_id_, core_.options.stopGrace, progress, Deadline::after(kLookTimeout));
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (!failure) co_return;
  if (failure->code() == ErrorCode::Cancelled) throw *failure;
  log::warning("the place that is kept could not be stopped", {{"operation", operation_->record.id}, {"error", failure->message()}});
}

}  // namespace swarm::control
