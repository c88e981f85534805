// Move: the way up to the switch.
#include "controller/operations/migrate.h"

#include "base/format.h"
#include "base/log.h"
#include "controller/retrying.h"
#include "model/codec.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::RoundReport;
using transfer::Side;
constexpr std::chrono::seconds kTargetLookTimeout{20};
constexpr std::chrono::seconds kMoveHoldTimeout{60};
constexpr std::chrono::seconds kHoldAttempt{20};  ///< a stalled connection costs no more
constexpr int kMostRounds = 6;
constexpr int kMostFinalPasses = 3;
constexpr std::int64_t kLittleBytes = 8 << 20;  ///< so much can be sent while people wait
constexpr std::int64_t kLittleFiles = 500;
constexpr double kConverges = 0.7;  ///< a round that leaves more than this of the one before will not be followed by a better one

bool isLittle(const RoundReport& report) { return report.bytesSent <= kLittleBytes && report.filesSent <= kLittleFiles; }

CopyRun::Options optionsOf(const MigrateParameters& parameters) {
  return {placeTitle(parameters.provider, parameters.region), parameters.wasRunning, parameters.bandwidthLimit};
}

}  // namespace

Migration::Move::Move(Migration& migration, ActivePtr operation)
    : CopyRun(migration.core_, migration.lifecycle_, migration.places_, operation, optionsOf(operation->parameters<MigrateParameters>())),
      migration_(migration),
      place_id_(operation->parameters<MigrateParameters>().place) {}

Provider& Migration::Move::targetProvider() const { return *core_.providers.at(parameters().provider); }
std::string Migration::Move::targetTitle() const { return placeTitle(parameters().provider, parameters().region); }

awaitable<void> Migration::Move::run() {
  if (!parameters().phase) {
    core_.changed(*entry_);
    auto place = core_.places.find(place_id_);
    if (place != core_.places.end() && place->second.role == PlaceRole::discarded)  // a crash of ours lies between
      throw Error(ErrorCode::UpstreamFailed, "It was being taken back already when the server ended.");
    teller_.step(Step::Validate);
    co_await targetProvider().getInstance(place_id_, Deadline::after(kTargetLookTimeout));  // can it be asked at all?
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
  core_.routeChanged(*entry_);
}

awaitable<void> Migration::Move::checkPlan() {
  teller_.step(Step::Plan);
  MoveTarget target;
  target.provider = targetProvider().type();
  target.region = parameters().region;
  target.config = parameters().config;
  auto known = core_.places.find(place_id_);
  if (known != core_.places.end() && parameters().reused) target.kept = &known->second;
  if (known != core_.places.end() && !parameters().reused) co_return;  // it is made already: a crash of ours lies between
  std::function<awaitable<MigrationPlan>()> look = [this, target] {
    return migration_.planFor(entry_, target, parameters().bandwidthLimit);
  };
  MigrationPlan plan = co_await lifecycle_.retrying<MigrationPlan>(operation_, Lifecycle::Patience::Bounded, look);
  teller_.totals(plan.files, plan.bytes);
  if (plan.fits) co_return;
  std::string problems;
  for (const std::string& problem : plan.problems) problems += (problems.empty() ? "" : " ") + problem;
  throw Error(ErrorCode::Unprocessable, format("It can't be moved to {}: {}", targetTitle(), problems));
}

awaitable<void> Migration::Move::makeTarget() {
  teller_.step(Step::CreateTarget);
  PlaceRecord place = placeOfOurs(place_id_);  // kept from an earlier move, made before a crash, or new
  place.provider = targetProvider().type();
  place.region = parameters().region;
  place.config = parameters().config;
  co_await makeHeld(std::move(place), parameters().reused ? Volumes::Existing : Volumes::New);
}

/// While people work: all of it, then what has changed meanwhile, until little is left.
awaitable<void> Migration::Move::copy() {
  teller_.step(Step::Copy);
  transfer::ScanReport source = co_await scan(Side::Source);
  teller_.totals(source.files, source.bytes);
  transfer::ScanReport target = co_await scan(Side::Target);
  for (const auto& space : target.space)
    if (source.bytes - target.bytes > space.free)
      throw Error(ErrorCode::OutOfResources,
                  format("The target is too small: {:.1f} GB are to be moved, and {} there has {:.1f} GB free. Give it more storage "
                         "(--storage), or remove what is not needed.",
                         static_cast<double>(source.bytes) / 1e9, space.mountPath, static_cast<double>(space.free) / 1e9));
  RoundReport last = co_await round(RoundKind::Live);
  operation_->fault("copied");
  // What was written is read back, hashed and put on disk now, so that the pause has to look at what changes from here on only.
  teller_.step(Step::VerifyCopy);
  co_await readBack();
  operation_->fault("read_back");
  for (int n = 1; n < kMostRounds; ++n) {
    teller_.step(Step::CopyChanges);
    RoundReport next = co_await round(RoundKind::Live);
    bool converges = static_cast<double>(next.bytesSent) < kConverges * static_cast<double>(last.bytesSent);
    last = next;
    if (isLittle(next) || (!converges && n >= 2)) break;
  }
  operation_->fault("changes_copied");
}

awaitable<void> Migration::Move::hold() {
  std::function<awaitable<std::string>()> call = [this]() -> awaitable<std::string> {
    agent::AgentTarget agent = co_await agentAt(source());
    std::string reason = format("This workspace is moving to {}.", targetTitle());
    Deadline deadline = Deadline::after(kMoveHoldTimeout);
    for (;;) {
      try {
        co_return co_await core_.moveAgents()->hold(agent, operation_->record.id, reason, deadline.orAfter(kHoldAttempt));
      } catch (const Error& error) {  // a repeat joins the hold that is in progress
        if (error.code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw;
      }
    }
  };
  boot_ = co_await lifecycle_.retrying<std::string>(operation_, Lifecycle::Patience::Bounded, call);
}

/// The pause. Everything that is written from here on is written at the target, or the source goes on as if nothing had been.
awaitable<void> Migration::Move::finalPass() {
  teller_.stepInPause(Step::Pause);
  core_.setStatus(*entry_, InstanceStatus::starting, format("It is moving to {}.", targetTitle()));
  core_.breakConnections(*entry_);
  core_.publishRoutes();
  operation_->fault("pause");
  co_await hold();
  operation_->fault("held");
  for (int n = 1;; ++n)
    if (co_await passOnce(n == kMostFinalPasses)) co_return;
}

/// One attempt: the last differences, the digests, everything on disk, and the source held from the beginning to the end of it.
awaitable<bool> Migration::Move::passOnce(bool last) {
  const std::string boot = boot_;
  teller_.stepInPause(Step::FinalChanges);
  co_await round(RoundKind::Final);
  operation_->fault("final");
  teller_.stepInPause(Step::Verify);
  bool is_equal = co_await areEqual();
  co_await sync(Side::Target);
  operation_->fault("verified");
  co_await hold();  // again: it tells whether it was held all the time
  if (is_equal && boot_ == boot) co_return true;
  if (!last) co_return false;
  if (is_equal) throw Error(ErrorCode::UpstreamFailed, "The source's agent was restarted again and again during the move.");
  std::string where = co_await differences();
  throw Error(ErrorCode::UpstreamFailed, format("The files at the target are not the source's: {}. Nothing was switched.", where));
}

awaitable<void> Migration::Move::switchOver() {
  teller_.stepInPause(Step::Switch);
  // A source that is not to be kept stays until VS Code has answered at the target: that may need a person.
  constexpr std::chrono::hours kUntilItRuns{7 * 24};
  SystemTime until = core_.clock.now() + (parameters().keepSource ? std::chrono::hours(parameters().keepHours) : kUntilItRuns);
  MigrateParameters after = parameters();
  after.phase = SwitchPhase::switched;
  after.former = entry_->placeId();
  co_await switchTo(place_id_, std::move(after), PlaceRole::kept, until);
  log::info("moved", {{"instance", entry_->id()}, {"to", targetTitle()}, {"place", place_id_}});
}

}  // namespace swarm::control
