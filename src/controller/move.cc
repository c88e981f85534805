// Move: the way up to the switch.
#include "controller/move.h"

#include "base/format.h"
#include "base/log.h"
#include "controller/agent_watch.h"
#include "controller/lifecycle.h"
#include "controller/reconcile.h"
#include "controller/retrying.h"
#include "model/codec.h"
#include "net/deadline.h"

namespace swarm::control {
namespace {

using transfer::RoundKind;
using transfer::RoundReport;
using transfer::Side;
constexpr std::chrono::seconds kConnectTimeout{20};
constexpr std::chrono::seconds kHoldTimeout{60};
constexpr std::chrono::milliseconds kAskEvery{100};
constexpr int kMostRounds = 6;
constexpr int kMostFinalPasses = 3;
constexpr std::int64_t kLittleBytes = 8 << 20;  ///< so much can be sent while people wait
constexpr std::int64_t kLittleFiles = 500;
constexpr double kConverges = 0.7;  ///< a round that leaves more than this of the one before will not be followed by a better one

Error gone(std::string_view end, const std::optional<ProviderInstance>& observed) {
  std::string how = !observed ? "was removed" : observed->reason.empty() ? "stopped" : observed->reason;
  return Error(ErrorCode::UpstreamFailed, format("The {} of the move {}.", end, how));
}

}  // namespace

template <typename T>
awaitable<T> Migration::Move::linked(std::function<awaitable<T>(std::shared_ptr<MoveLink>)> call) {
  auto delay = core_.options.retryDelay;
  for (;;) {
    std::optional<Error> failure;
    SteadyTime before = teller_.lastProgress();
    try {
      if (!link_) link_ = co_await connect();
      co_return co_await call(link_);
    } catch (...) {
      failure = currentExceptionAsError();
    }
    link_.reset();
    bool cut = failure->code() == ErrorCode::Unavailable || failure->code() == ErrorCode::DeadlineExceeded;
    if (!cut) throw *failure;
    co_await throwIfAnEndIsGone();
    if (teller_.lastProgress() != before) delay = core_.options.retryDelay;
    if (core_.clock.steadyNow() - teller_.lastProgress() > core_.options.providerOutage) throw *failure;
    operation_->detail(format("The connection was cut; going on in a moment ({})", failure->message()));
    log::warning("a move's connection was cut", {{"operation", operation_->operation.id}, {"error", failure->message()}});
    co_await net::sleepFor(delay);
    delay = std::min(delay * 2, core_.options.retryDelayMost);
  }
}

Migration::Move::Move(Migration& migration, ActivePtr operation)
    : migration_(migration),
      core_(migration.core_),
      operation_(operation),
      entry_(operation->entry),
      place_id_(operation->operation.parameters.at("place").as_string()),
      teller_(core_, operation, placeTitle(*enumFromName<ProviderType>(text("provider")), text("region"))) {}

bool Migration::Move::flag(std::string_view name) const {
  const boost::json::value* value = operation_->operation.parameters.if_contains(name);
  return value && value->is_bool() && value->as_bool();
}

std::string Migration::Move::text(std::string_view name) const {
  const boost::json::value* value = operation_->operation.parameters.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t Migration::Move::number(std::string_view name) const {
  const boost::json::value* value = operation_->operation.parameters.if_contains(name);
  return value && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

Provider& Migration::Move::targetProvider() const { return *core_.providers.at(*enumFromName<ProviderType>(text("provider"))); }

transfer::Scope Migration::Move::scope() const {
  transfer::Scope scope;
  for (const StorageConfig& storage : entry_->record.instance.config.storage)
    (storage.persistent ? scope.storages : scope.excluded).push_back(storage.mountPath);
  return scope;
}

transfer::ProgressSink Migration::Move::sink() {
  return [self = shared_from_this()](const transfer::TransferProgress& now) { self->teller_.progress(now); };
}

awaitable<agent::AgentTarget> Migration::Move::sourceAgent() {
  agent::AgentTarget target = core_.targetOf(*entry_);
  target.endpoint = co_await core_.providerOf(*entry_).agentEndpoint(entry_->placeId(), Deadline::after(kConnectTimeout));
  co_return target;
}

awaitable<agent::AgentTarget> Migration::Move::targetAgent() {
  agent::AgentTarget target = core_.targetOf(*entry_);
  target.endpoint = co_await targetProvider().agentEndpoint(place_id_, Deadline::after(kConnectTimeout));
  co_return target;
}

awaitable<std::shared_ptr<MoveLink>> Migration::Move::connect() {
  MoveLink::Ends ends;
  ends.source = co_await sourceAgent();
  ends.target = co_await targetAgent();
  transfer::LinkOptions options;
  options.bytesPerSecond = number("bandwidthLimit");
  co_return co_await MoveLink::open(core_.moveAgents(), core_.moveExecutor(), core_.executor, std::move(ends), operation_->operation.id,
                                    scope(), options, Deadline::after(kConnectTimeout));
}

/// A cut connection to a place that runs is worth another try; a place that does not run any more is not.
awaitable<void> Migration::Move::throwIfAnEndIsGone() {
  struct End {
    std::string_view title;
    Provider* provider;
    std::string place;
  };
  for (const End& end : {End{"source", &core_.providerOf(*entry_), entry_->placeId()}, End{"target", &targetProvider(), place_id_}}) {
    std::optional<ProviderInstance> observed;
    bool asked = false;
    try {
      observed = co_await end.provider->getInstance(end.place, Deadline::after(kConnectTimeout));
      asked = true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;  // else: not known, and tried again
    }
    bool runs = observed && (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting);
    if (asked && !runs) throw gone(end.title, observed);
  }
}

/// Both ends can be asked, and the source runs: one that was stopped is started for the time of the move, one that a crash of ours left
/// held goes on working.
awaitable<void> Migration::Move::validate() {
  teller_.step("validate", false);
  co_await targetProvider().getInstance(place_id_, Deadline::after(kConnectTimeout));
  bool connected = flag("wasRunning") && entry_->endpoint && entry_->ready;
  if (connected) co_return;
  if (!flag("wasRunning")) core_.setStatus(*entry_, InstanceStatus::starting, "It is started to be moved.");
  co_await migration_.lifecycle_.startContainer(operation_);
  co_await migration_.lifecycle_.bringUp(operation_);
  operation_->cancellable = true;
  operation_->fault("validated");
}

awaitable<void> Migration::Move::checkPlan() {
  teller_.step("plan", false);
  MoveTarget target;
  target.provider = targetProvider().type();
  target.region = text("region");
  target.config = fromJson<InstanceConfig>(parameters().at("config"), UnknownFields::Ignore);
  auto kept = core_.places.find(place_id_);
  if (kept != core_.places.end() && flag("reused")) target.kept = &kept->second;
  if (kept != core_.places.end() && !flag("reused")) co_return;  // it is made already: a crash of ours lies between
  std::function<awaitable<MigrationPlan>()> look = [this, target] { return migration_.planFor(entry_, target, number("bandwidthLimit")); };
  MigrationPlan plan = co_await migration_.lifecycle_.retrying<MigrationPlan>(operation_, Lifecycle::Patience::Bounded, look);
  teller_.totals(plan.files, plan.bytes);
  if (plan.fits) co_return;
  std::string problems;
  for (const std::string& problem : plan.problems) problems += (problems.empty() ? "" : " ") + problem;
  throw Error(ErrorCode::Unprocessable, format("It can't be moved to {}: {}", placeTitle(target.provider, target.region), problems));
}

awaitable<void> Migration::Move::makeTarget() {
  teller_.step("create target", false);
  PlaceRecord place;
  auto known = core_.places.find(place_id_);
  if (known != core_.places.end()) place = known->second;  // kept from an earlier move, or made before a crash
  bool is_new = known == core_.places.end();
  place.id = place_id_;
  place.instanceId = entry_->id();
  place.owner = entry_->instance().owner;
  place.role = PlaceRole::target;
  place.provider = *enumFromName<ProviderType>(text("provider"));
  place.region = text("region");
  place.config = fromJson<InstanceConfig>(parameters().at("config"), UnknownFields::Ignore);
  if (is_new) place.createdAt = core_.clock.now();
  operation_->fault("place");
  co_await migration_.places_.put(place);
  operation_->fault("placed");
  InstanceSpec spec = core_.specOf(*entry_);
  spec.instanceId = place_id_;
  spec.config = place.config;
  spec.newVolumes = !flag("reused");
  spec.agentConfig = core_.agentConfigOf(*entry_, operation_->operation.id);
  auto progress = std::make_shared<PlaceProgress>(core_, place_id_, operation_);
  std::function<awaitable<ProviderInstance>()> make = [this, spec, progress]() -> awaitable<ProviderInstance> {
    Deadline deadline = Deadline::after(core_.options.createTimeout);
    auto observed = co_await targetProvider().getInstance(place_id_, deadline);
    if (!flag("reused") || !observed) co_return co_await targetProvider().createInstance(spec, *progress, deadline);
    // Made anew around its volumes, with the file that holds it: nothing of the old copy may come to life.
    if (observed->status != InstanceStatus::running) co_await targetProvider().replaceInstance(spec, *progress, deadline);
    co_await targetProvider().startInstance(place_id_, *progress, deadline);
    observed = co_await targetProvider().getInstance(place_id_, deadline);
    if (!observed) throw Error(ErrorCode::UpstreamFailed, "The target of the move was removed while it was made.");
    co_return std::move(*observed);
  };
  ProviderInstance made = co_await migration_.lifecycle_.retrying<ProviderInstance>(operation_, Lifecycle::Patience::Bounded, make);
  operation_->fault("made");
  for (const ExternalResource& resource : made.external) co_await progress->recorded(resource);
  PlaceRecord& now = core_.places.at(place_id_);
  if (!made.region.empty()) now.region = made.region;
  co_await waitForTarget();
}

awaitable<void> Migration::Move::waitForTarget() {
  operation_->detail("wait until its agent answers");
  Deadline deadline = Deadline::after(core_.options.startTimeout);
  std::string reason = "it did not answer in time";
  for (;;) {
    try {
      agent::AgentTarget target = co_await targetAgent();
      // A place that is used again may have been started before it could be told to hold.
      co_await core_.moveAgents()->hold(target, operation_->operation.id, "It is the target of a move.", deadline.orAfter(kHoldTimeout));
      co_return;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;
      reason = error.message();
    }
    if (deadline.hasPassed()) break;
    co_await net::sleepFor(kAskEvery);
    auto observed = co_await targetProvider().getInstance(place_id_, Deadline::after(kConnectTimeout));
    if (!observed || observed->status == InstanceStatus::failed || observed->status == InstanceStatus::stopped)
      throw gone("target", observed);
  }
  throw Error(ErrorCode::UpstreamFailed, format("The agent of the move's target can't be reached: {}", reason));
}

awaitable<RoundReport> Migration::Move::round(RoundKind kind) {
  std::function<awaitable<RoundReport>(std::shared_ptr<MoveLink>)> call = [this, kind](std::shared_ptr<MoveLink> link) {
    return link->round(kind, sink());
  };
  co_return co_await linked<RoundReport>(call);
}

awaitable<void> Migration::Move::copy() {
  teller_.step("copy", false);
  std::function<awaitable<transfer::ScanReport>(std::shared_ptr<MoveLink>)> look = [](std::shared_ptr<MoveLink> link) {
    return link->scan(Side::Source, {});
  };
  transfer::ScanReport source = co_await linked<transfer::ScanReport>(look);
  teller_.totals(source.files, source.bytes);
  look = [](std::shared_ptr<MoveLink> link) { return link->scan(Side::Target, {}); };
  transfer::ScanReport target = co_await linked<transfer::ScanReport>(look);
  for (const auto& space : target.space)
    if (source.bytes - target.bytes > space.free)
      throw Error(ErrorCode::OutOfResources,
                  format("The target is too small: {:.1f} GB are to be moved, and {} there has {:.1f} GB free. Give it more storage "
                         "(--storage), or remove what is not needed.",
                         static_cast<double>(source.bytes) / 1e9, space.mountPath, static_cast<double>(space.free) / 1e9));
  RoundReport last = co_await round(RoundKind::Live);
  operation_->fault("copied");
  bool is_verified = false;
  for (int n = 1; n < kMostRounds; ++n) {
    bool little = last.bytesSent <= kLittleBytes && last.filesSent <= kLittleFiles;
    if (little && is_verified) break;
    if (!is_verified) {
      // What was written is read back, hashed and put on disk now, so that the pause has to look at what changes from here on only.
      teller_.step("verify what was copied", false);
      std::function<awaitable<transfer::DigestReport>(std::shared_ptr<MoveLink>)> read = [this](std::shared_ptr<MoveLink> link) {
        return link->digest(Side::Target, sink());
      };
      co_await linked<transfer::DigestReport>(read);
      std::function<awaitable<bool>(std::shared_ptr<MoveLink>)> flush = [](std::shared_ptr<MoveLink> link) -> awaitable<bool> {
        co_await link->sync(Side::Target);
        co_return true;
      };
      co_await linked<bool>(flush);
      is_verified = true;
      operation_->fault("read_back");
    }
    teller_.step("copy changes", false);
    RoundReport next = co_await round(RoundKind::Live);
    bool converges = static_cast<double>(next.bytesSent) < kConverges * static_cast<double>(last.bytesSent);
    bool is_small = next.bytesSent <= kLittleBytes && next.filesSent <= kLittleFiles;
    last = next;
    if (!converges && !is_small && n >= 2) break;
  }
  operation_->fault("changes_copied");
}

awaitable<void> Migration::Move::run() {
  if (text("phase") != "switched") {
    core_.changed(*entry_);
    co_await validate();
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

awaitable<void> Migration::Move::hold() {
  std::string boot;
  std::function<awaitable<std::string>()> call = [this]() -> awaitable<std::string> {
    agent::AgentTarget source = co_await sourceAgent();
    co_return co_await core_.moveAgents()->hold(
        source, operation_->operation.id, format("This workspace is moving to {}.", placeTitle(targetProvider().type(), text("region"))),
        Deadline::after(kHoldTimeout));
  };
  boot_ = co_await migration_.lifecycle_.retrying<std::string>(operation_, Lifecycle::Patience::Bounded, call);
}

/// The pause. Everything that is written from here on is written at the target, or the source goes on as if nothing had been.
awaitable<void> Migration::Move::finalPass() {
  teller_.step("pause", true);
  core_.setStatus(*entry_, InstanceStatus::starting, format("It is moving to {}.", placeTitle(targetProvider().type(), text("region"))));
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
  teller_.step("final changes", true);
  co_await round(RoundKind::Final);
  operation_->fault("final");
  teller_.step("verify", true);
  using Digests = std::pair<transfer::DigestReport, transfer::DigestReport>;
  std::function<awaitable<Digests>(std::shared_ptr<MoveLink>)> compare = [this](std::shared_ptr<MoveLink> link) {
    return link->digests(sink());
  };
  Digests digests = co_await linked<Digests>(compare);
  std::function<awaitable<bool>(std::shared_ptr<MoveLink>)> flush = [](std::shared_ptr<MoveLink> link) -> awaitable<bool> {
    co_await link->sync(Side::Target);
    co_return true;
  };
  co_await linked<bool>(flush);
  operation_->fault("verified");
  co_await hold();  // again: it tells whether it was held all the time
  bool is_equal = digests.first.digest == digests.second.digest;
  if (is_equal && boot_ == boot) co_return true;
  if (!last) co_return false;
  if (is_equal) throw Error(ErrorCode::UpstreamFailed, "The source's agent was restarted again and again during the move.");
  std::function<awaitable<std::vector<transfer::Note>>(std::shared_ptr<MoveLink>)> find = [](std::shared_ptr<MoveLink> link) {
    return link->differences(5);
  };
  auto differences = co_await linked<std::vector<transfer::Note>>(find);
  std::string where;
  for (const transfer::Note& note : differences) where += format("{}{} ({})", where.empty() ? "" : ", ", note.path, note.reason);
  throw Error(ErrorCode::UpstreamFailed, format("The files at the target are not the source's: {}. Nothing was switched.", where));
}

/// ONE durable write: before it the source is the truth, after it the target.
awaitable<void> Migration::Move::switchOver() {
  teller_.step("switch", true);
  operation_->cancellable = false;
  co_await operation_->settle();
  PlaceRecord& target = core_.places.at(place_id_);
  const Instance& instance = entry_->record.instance;
  PlaceRecord former;
  former.id = entry_->placeId();
  former.instanceId = entry_->id();
  former.owner = instance.owner;
  former.role = PlaceRole::kept;
  former.provider = instance.provider;
  former.region = instance.region;
  former.config = instance.config;
  former.external = entry_->record.external;
  former.createdAt = instance.createdAt;
  // One that is not to be kept stays until VS Code has answered at the target: that may need a person.
  constexpr std::chrono::hours kUntilItRuns{7 * 24};
  former.expiresAt = core_.clock.now() + (flag("keepSource") ? std::chrono::hours(number("keepHours")) : kUntilItRuns);
  InstanceRecord record = entry_->record;
  record.placeId = place_id_;
  record.external = target.external;
  record.instance.provider = target.provider;
  record.instance.region = target.region;
  record.instance.config = target.config;
  record.instance.network = NetworkInfo{};
  ++record.instance.version;
  Operation row = operation_->operation;
  row.parameters["phase"] = "switched";
  row.parameters["former"] = former.id;
  operation_->fault("switch");
  co_await core_.store.switchPlace(record, former, row);
  operation_->operation.parameters = row.parameters;
  entry_->record = std::move(record);
  core_.places.erase(place_id_);
  core_.places[former.id] = former;
  core_.placeChanged(*entry_, former.id);
  migration_.places_.describe(*entry_);
  core_.changed(*entry_);
  log::info("moved", {{"instance", entry_->id()}, {"from", placeTitle(former.provider, former.region)}, {"place", place_id_}});
  operation_->fault("switched");
}

}  // namespace swarm::control
