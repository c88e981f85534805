// Migrate: a running workspace moves to another place with every file. README.md explains the operation as a whole.
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/moves/copy_run.h"
#include "controller/moves/migration.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::RoundReport;
using transfer::Side;
constexpr std::chrono::seconds kTargetQueryTimeout{20};
constexpr std::chrono::seconds kMoveHoldTimeout{60};
constexpr std::chrono::seconds kHoldAttempt{20};  ///< limit of one attempt, so that a stalled connection is retried
constexpr std::chrono::seconds kSourceQueryTimeout{30};
constexpr int kMaxStarts = 3;
constexpr int kMaxRounds = 6;
constexpr int kMaxFinalPasses = 3;
constexpr std::int64_t kLittleBytes = 8 << 20;  ///< small enough to send during the pause
constexpr std::int64_t kLittleFiles = 500;
constexpr double kConverges = 0.7;  ///< more rounds help only while each sends less than this part of the one before

bool isLittle(const RoundReport& report) { return report.bytesSent <= kLittleBytes && report.filesSent <= kLittleFiles; }

CopyRun::Options optionsOf(const MigrateParameters& parameters) {
  return {placeTitle(parameters.provider, parameters.region), parameters.wasRunning, parameters.bandwidthLimit};
}

/// One run of the operation, from validation to the retired source.
class Move final : public CopyRun {
 public:
  Move(const OperationTools& tools, ActivePtr operation);
  awaitable<void> run() override;
  awaitable<void> undo(Error error) override;

 private:
  End source() const override { return {context_.providers.of(*entry_), entry_->placeId()}; }
  End target() const override { return {targetProvider(), place_id_}; }

  awaitable<void> checkPlan();
  awaitable<void> makeTarget();
  awaitable<void> copy();
  awaitable<void> hold();
  awaitable<void> finalPass();
  awaitable<bool> passOnce(bool last);
  awaitable<void> switchOver();
  awaitable<void> finish();
  awaitable<bool> startThere(bool last);
  awaitable<void> retire(PlaceId former);
  awaitable<void> keepStopped(PlaceId former);
  void describeTarget(const Error& error);
  awaitable<void> restoreSource(std::string why);
  awaitable<void> sourceBack(std::string why);
  awaitable<void> dropTarget();
  MigrateParameters& parameters() const { return operation_->parameters<MigrateParameters>(); }
  Provider& targetProvider() const;
  std::string targetTitle() const;

  Migration& migration_;
  PlaceId place_id_;
  std::string boot_;  ///< of the held source's agent: another value means that the hold was interrupted
};

Move::Move(const OperationTools& tools, ActivePtr operation)
    : CopyRun(tools, operation, optionsOf(operation->parameters<MigrateParameters>())),
      migration_(tools.migration),
      place_id_(operation->parameters<MigrateParameters>().place) {}

Provider& Move::targetProvider() const { return context_.providers.at(parameters().provider); }
std::string Move::targetTitle() const { return placeTitle(parameters().provider, parameters().region); }

awaitable<void> Move::run() {
  if (!parameters().phase) {
    context_.changes.changed(*entry_);
    const PlaceRecord* place = context_.registry.findPlace(place_id_);
    if (place && place->role == PlaceRole::discarded)  // undo began before a crash
      throw Error(ErrorCode::UpstreamFailed, "The move was being rolled back when the server ended.");
    progress_.step(Step::Validate);
    co_await targetProvider().getInstance(place_id_, Deadline::after(kTargetQueryTimeout));  // fails early when the provider is unreachable
    co_await makeInstanceRun();
    operation_->fault("validated");
    co_await checkPlan();
    co_await makeTarget();
    co_await copy();
    co_await finalPass();
    co_await switchOver();
  }
  co_await finish();
  entry_->moving.reset();
  context_.routes.changed(*entry_);
}

awaitable<void> Move::checkPlan() {
  progress_.step(Step::Plan);
  MoveTarget target;
  target.provider = targetProvider().type();
  target.region = parameters().region;
  target.config = parameters().config;
  const PlaceRecord* known = context_.registry.findPlace(place_id_);
  if (parameters().reused) target.kept = known;
  if (known && !parameters().reused) co_return;  // created before a crash
  MigrationPlan plan =
      co_await lifecycle_.retrying(operation_, [this, target] { return migration_.planFor(entry_, target, parameters().bandwidthLimit); });
  progress_.totals(plan.files, plan.bytes);
  if (plan.fits) co_return;
  std::string problems;
  for (const std::string& problem : plan.problems) problems += (problems.empty() ? "" : " ") + problem;
  throw Error(ErrorCode::Unprocessable, format("The workspace cannot be moved to {}: {}", targetTitle(), problems));
}

awaitable<void> Move::makeTarget() {
  progress_.step(Step::CreateTarget);
  PlaceRecord place = placeOfOurs(place_id_);  // kept by an earlier move, created before a crash, or new
  place.provider = targetProvider().type();
  place.region = parameters().region;
  place.config = parameters().config;
  co_await makeHeld(std::move(place), parameters().reused ? Volumes::Existing : Volumes::New);
}

/// While the workspace is in use: one full round, then rounds for what has changed since, until little is left.
awaitable<void> Move::copy() {
  progress_.step(Step::Copy);
  transfer::ScanReport source = co_await scan(Side::Source);
  progress_.totals(source.files, source.bytes);
  transfer::ScanReport target = co_await scan(Side::Target);
  for (const auto& space : target.space)
    if (source.bytes - target.bytes > space.free)
      throw Error(
          ErrorCode::OutOfResources,
          format("The target is too small: the workspace has {:.1f} GB of files, and {} at the target has {:.1f} GB free. Request more "
                 "storage (--storage) or remove files.",
                 static_cast<double>(source.bytes) / 1e9, space.mountPath, static_cast<double>(space.free) / 1e9));
  RoundReport last = co_await round(RoundKind::Live);
  operation_->fault("copied");
  // The target is read back, hashed and synced now, so that the pause has to cover later changes only.
  progress_.step(Step::VerifyCopy);
  co_await readBack();
  operation_->fault("read_back");
  for (int n = 1; n < kMaxRounds; ++n) {
    progress_.step(Step::CopyChanges);
    RoundReport next = co_await round(RoundKind::Live);
    bool converges = static_cast<double>(next.bytesSent) < kConverges * static_cast<double>(last.bytesSent);
    last = next;
    if (isLittle(next) || (!converges && n >= 2)) break;
  }
  operation_->fault("changes_copied");
}

awaitable<void> Move::hold() {
  auto call = [this]() -> awaitable<std::string> {
    agent::AgentTarget agent = co_await agentAt(source());
    std::string reason = format("This workspace is moving to {}.", targetTitle());
    Deadline deadline = Deadline::after(kMoveHoldTimeout);
    for (;;) {
      try {
        co_return co_await context_.options.moveAgents->hold(agent, operation_->record.id, reason, deadline.orAfter(kHoldAttempt));
      } catch (const Error& error) {  // a repeated request joins the hold in progress
        if (error.code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw;
      }
    }
  };
  boot_ = co_await lifecycle_.retrying(operation_, call);
}

/// The pause: no process of the user runs until the target, or after a failure the source, is released.
awaitable<void> Move::finalPass() {
  progress_.stepInPause(Step::Pause);
  context_.changes.setStatus(*entry_, InstanceStatus::starting, format("The workspace is moving to {}.", targetTitle()));
  context_.routes.breakConnections(*entry_);
  context_.routes.publish();
  operation_->fault("pause");
  co_await hold();
  operation_->fault("held");
  for (int n = 1;; ++n)
    if (co_await passOnce(n == kMaxFinalPasses)) co_return;
}

/// One attempt: last differences, digests, sync. True when both sides are equal and the source was held throughout.
awaitable<bool> Move::passOnce(bool last) {
  const std::string boot = boot_;
  progress_.stepInPause(Step::FinalChanges);
  co_await round(RoundKind::Final);
  operation_->fault("final");
  progress_.stepInPause(Step::Verify);
  bool is_equal = co_await areEqual();
  co_await sync(Side::Target);
  operation_->fault("verified");
  co_await hold();  // again: a changed boot means that the hold was interrupted
  if (is_equal && boot_ == boot) co_return true;
  if (!last) co_return false;
  if (is_equal) throw Error(ErrorCode::UpstreamFailed, "The source's agent restarted repeatedly during the move.");
  std::string where = co_await differences();
  throw Error(ErrorCode::UpstreamFailed,
              format("The files at the target differ from the source: {}. The workspace stays at the source.", where));
}

awaitable<void> Move::switchOver() {
  progress_.stepInPause(Step::Switch);
  // The source stays until VS Code has responded at the target, which may need a user's action.
  constexpr std::chrono::hours kUntilItRuns{7 * 24};
  SystemTime until = context_.clock.now() + (parameters().keepSource ? std::chrono::hours(parameters().keepHours) : kUntilItRuns);
  MigrateParameters after = parameters();
  after.phase = SwitchPhase::switched;
  after.former = entry_->placeId();
  co_await switchTo(place_id_, std::move(after), PlaceRole::kept, until);
  log::info("instance moved", {{"instance", entry_->id()}, {"to", targetTitle()}, {"place", place_id_}});
}

awaitable<void> Move::finish() {
  co_await closeLink();
  operation_->cancellable = false;
  if (parameters().wasRunning) {
    progress_.stepInPause(Step::Start);
    for (int n = 1; !co_await startThere(n == kMaxStarts); ++n) {
    }
  } else {
    co_await lifecycle_.stop(operation_, "");
  }
  operation_->cancellable = false;
  operation_->fault("started");
  co_await retire(parameters().former.value_or(PlaceId()));
  operation_->fault("retired");
}

/// The move cannot be undone any more: a target that ends is started again automatically, at most kMaxStarts times.
awaitable<bool> Move::startThere(bool last) {
  auto started = co_await attemptUnlessCancelled(lifecycle_.startAndBringUp(operation_));
  operation_->cancellable = false;
  if (started && !entry_->ready) {
    std::string reason = entry_->instance().statusReason;
    throw Error(ErrorCode::UpstreamFailed, reason.empty() ? "VS Code is not responding." : reason);
  }
  if (started) co_return true;
  if (last) throw started.error();
  log::warning("target of a move did not start; retrying", {{"operation", operation_->record.id}, {"error", started.error().message()}});
  co_return false;
}

/// The target works: the source is removed, or stopped and kept. The move has succeeded even if this fails; it is then retried later.
awaitable<void> Move::retire(PlaceId former) {
  entry_->moving.reset();
  context_.routes.changed(*entry_);
  operation_->step(Step::RetireSource);
  if (!parameters().keepSource) co_await places_.discard(former);
  auto retired = co_await attemptUnlessCancelled(parameters().keepSource ? keepStopped(former) : places_.removeNow(former, operation_));
  if (retired) co_return;
  operation_->detail(format("The source is removed later: {}", retired.error().message()));
  log::warning("source of a move could not be retired yet", {{"operation", operation_->record.id}, {"error", retired.error().message()}});
}

/// An instance has one kept source: the latest.
awaitable<void> Move::keepStopped(PlaceId former) {
  const PlaceRecord* kept = context_.registry.findPlace(former);
  if (!kept) co_return;
  PlaceProgress progress(context_, former, operation_);
  co_await context_.providers.at(kept->provider)
      .stopInstance(former, context_.options.stopGrace, progress, Deadline::after(context_.options.startTimeout));
  std::vector<PlaceId> older;
  for (const auto& [id, place] : context_.registry.places())
    if (place.instanceId == entry_->id() && place.role == PlaceRole::kept && id != former) older.push_back(id);
  for (const PlaceId& id : older) co_await places_.discard(id);
}

/// Before the switch, restores the source's state and removes the target.
awaitable<void> Move::undo(Error error) {
  if (parameters().phase) co_return describeTarget(error);
  co_await closeLink();
  bool by_user = error.code() == ErrorCode::Cancelled;
  std::string why = by_user ? std::string("The move was cancelled.") : format("The workspace was not moved: {}", error.message());
  operation_->step(Step::GoBack);
  co_await sourceBack(why);
  entry_->moving.reset();
  context_.routes.changed(*entry_);
  operation_->fault("source_back");
  co_await dropTarget();
}

/// After the switch, the target stays.
void Move::describeTarget(const Error& error) {
  entry_->moving.reset();
  const Instance& instance = entry_->instance();
  std::string reason =
      format("The workspace and all its files were moved to {}, but VS Code is not responding: {} Run `swarm start {}` to retry.",
             placeTitle(instance.provider, instance.region), error.message(), instance.config.name);
  if (instance.keptSource) reason += format(" The source is kept: `swarm migrate {} --back` returns to it.", instance.config.name);
  context_.changes.setStatus(*entry_, instance.status == InstanceStatus::running ? InstanceStatus::running : InstanceStatus::failed,
                             reason);
}

/// The source runs again before anything is removed, to keep the interruption short.
awaitable<void> Move::restoreSource(std::string why) {
  if (!parameters().wasRunning) co_return co_await lifecycle_.stop(operation_, why);
  if (entry_->instance().status == InstanceStatus::running && entry_->endpoint && entry_->ready) {
    auto observed = co_await context_.providers.of(*entry_).getInstance(entry_->placeId(), Deadline::after(kSourceQueryTimeout));
    if (observed && observed->status == InstanceStatus::running) {
      context_.changes.setStatus(*entry_, InstanceStatus::running, why);
      co_return;
    }
  }
  entry_->instance().desired = InstanceStatus::running;
  context_.changes.setStatus(*entry_, InstanceStatus::starting, why);
  co_await lifecycle_.startAndBringUp(operation_);
  if (entry_->instance().statusReason.empty()) context_.changes.setStatus(*entry_, InstanceStatus::running, why);
}

awaitable<void> Move::sourceBack(std::string why) {
  auto restored = co_await attemptUnlessCancelled(restoreSource(why));
  if (restored) co_return;
  context_.routes.breakConnections(*entry_);
  context_.changes.setStatus(*entry_, InstanceStatus::failed,
                             format("{} The source could not be started: {} Its files are intact. Run `swarm start {}` to retry.", why,
                                    restored.error().message(), entry_->instance().config.name));
}

awaitable<void> Move::dropTarget() {
  const PlaceRecord* found = context_.registry.findPlace(place_id_);
  if (!found) co_return;
  if (!parameters().reused) co_return co_await drop(place_id_);
  auto keep = [this](PlaceRecord place) -> awaitable<void> {
    place.role = PlaceRole::kept;
    co_await places_.put(std::move(place));
    PlaceProgress progress(context_, place_id_, operation_);
    co_await targetProvider().stopInstance(place_id_, context_.options.stopGrace, progress, Deadline::after(kSourceQueryTimeout));
  };
  auto kept = co_await attemptUnlessCancelled(keep(*found));
  if (!kept) log::warning("kept source could not be stopped", {{"operation", operation_->record.id}, {"error", kept.error().message()}});
}

class Migrate final : public CopyHandler<MigrateParameters, Move> {
 public:
  using CopyHandler::CopyHandler;

 private:
  std::vector<PlaceId> placesOf(const MigrateParameters& parameters) const override {
    return {parameters.place, parameters.former.value_or(PlaceId())};
  }
  /// Both places run at the same time. To its owner, the instance counts once: as the larger one.
  PlacedClaims needsOf(const Entry& entry, const MigrateParameters& parameters) const override {
    PlacedClaim source = context_.limits.running(entry);
    if (parameters.phase) return parameters.wasRunning ? PlacedClaims{std::move(source)} : PlacedClaims();
    Claim target = context_.limits.temporary(parameters.provider, parameters.region, entry.record.instance.owner, parameters.config,
                                             Limits::Keeps::Nothing);
    target.owned = larger(target.lent - source.claim.owned, {});
    target.lent = target.lent - target.owned;
    target.lent.instances = 1;
    PlacedClaims claims{{parameters.place, std::move(target)}};
    if (!parameters.wasRunning) claims.push_back(std::move(source));  // started, so that its files can be read
    return claims;
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeMigrate(const OperationTools& tools) { return std::make_unique<Migrate>(tools); }

}  // namespace swarm::control
