// CopyRun: links between agents, held places, the switch.
#include "controller/moves/copy_run.h"

#include <boost/asio/post.hpp>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/duration_text.h"
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

using transfer::Link;
using transfer::RoundKind;
using transfer::RoundReport;
using transfer::ScanReport;
using transfer::Side;
using LinkPtr = std::shared_ptr<MoveLink>;
constexpr std::chrono::seconds kConnectTimeout{20};
constexpr std::chrono::seconds kLinkAttempt{10};  ///< limit of one attempt, so that a stalled connection is retried
constexpr std::chrono::seconds kHoldTimeout{15};  ///< limit of one attempt; no process has to be ended there
constexpr std::chrono::milliseconds kHoldInterval{100};
constexpr std::chrono::seconds kCloseTimeout{2};
constexpr std::size_t kMaxDifferences = 5;
constexpr std::chrono::hours kCopyTimeout{7 * 24};  ///< from the request of the operation to the end of its last copy
constexpr std::chrono::minutes kCopySilence{60};    ///< of one command without any progress

bool runs(const std::optional<ProviderInstance>& observed) {
  return observed && (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting);
}

std::string textOf(std::chrono::seconds duration) { return durationText(duration.count()); }

Error gone(std::string_view end, const std::optional<ProviderInstance>& observed) {
  std::string how = !observed ? "was removed" : observed->reason.empty() ? "stopped" : observed->reason;
  return Error(ErrorCode::UpstreamFailed, format("The {} {} while files were being copied.", end, how));
}

}  // namespace

CopyRun::CopyRun(const OperationTools& tools, ActivePtr operation, Options options)
    : context_(tools.context),
      lifecycle_(tools.lifecycle),
      places_(tools.places),
      operation_(operation),
      entry_(operation->entry),
      progress_(tools.context, operation, options.to),
      options_(std::move(options)) {}

transfer::Scope CopyRun::scope() const {
  transfer::Scope scope;
  for (const StorageConfig& storage : entry_->record.instance.config.storage)
    (storage.persistent ? scope.storages : scope.excluded).push_back(storage.mountPath);
  return scope;
}

transfer::ProgressSink CopyRun::sink(Shown shown) {
  return [self = shared_from_this(), shown](const transfer::TransferProgress& now) {
    boost::asio::post(self->context_.executor, [self, shown, now] {
      self->progress_.noteProgress(now);
      self->reported_.notifyAll();
      if (shown == Shown::Yes) self->progress_.progress(now);
    });
  };
}

/// Progress extends a command, but not the whole copy: a hostile agent can report it for ever.
awaitable<void> CopyRun::throwWhenTooLate() {
  const auto self = shared_from_this();  // when the loop ends, frames are destroyed in an arbitrary order
  for (;;) {
    const auto seen = reported_.version();
    const auto whole = kCopyTimeout - (context_.clock.now() - operation_->record.createdAt);
    const auto silent = kCopySilence - (context_.clock.steadyNow() - progress_.lastProgress());
    if (whole <= whole.zero()) throw Error(ErrorCode::UpstreamFailed, format("The files were not copied within {}.", textOf(kCopyTimeout)));
    if (silent <= silent.zero()) throw Error(ErrorCode::UpstreamFailed, format("The copy made no progress for {}.", textOf(kCopySilence)));
    co_await reported_.wait(seen, Deadline::after(std::min(std::chrono::ceil<std::chrono::milliseconds>(whole),
                                                           std::chrono::ceil<std::chrono::milliseconds>(silent))));
  }
}

template <typename T>
awaitable<T> CopyRun::limited(awaitable<T> work) {
  if constexpr (std::is_void_v<T>) {
    co_await async::race(std::move(work), throwWhenTooLate());
  } else {
    co_return std::move(*co_await async::race(std::move(work), throwWhenTooLate()));
  }
}

awaitable<agent::AgentTarget> CopyRun::agentAt(End end) {
  co_return targetOf(*entry_, co_await end.provider.agentEndpoint(end.place, Deadline::after(kConnectTimeout)));
}

awaitable<LinkPtr> CopyRun::connect() {
  MoveLink::Ends ends;
  ends.source = co_await agentAt(source());
  ends.target = co_await agentAt(target());
  transfer::LinkOptions options;
  options.bytesPerSecond = options_.bytesPerSecond;
  co_return co_await MoveLink::open(context_.options.moveAgents, context_.options.moveExecutor, std::move(ends), operation_->record.id,
                                    scope(), options, Deadline::after(kLinkAttempt));
}

/// A broken connection is retried only while the place runs. An unreachable provider counts as running.
awaitable<void> CopyRun::throwIfGone(std::string_view title, End end) {
  auto observed = co_await attemptUnlessCancelled(end.provider.getInstance(end.place, Deadline::after(kConnectTimeout)));
  if (observed && !runs(*observed)) throw gone(title, *observed);
}

template <typename Call>
auto CopyRun::linked(Call call) -> std::invoke_result_t<Call&, Link&> {
  auto delay = context_.options.retryDelay;
  progress_.commandBegan();
  for (;;) {
    std::optional<Error> failure;
    SteadyTime before = progress_.lastProgress();
    try {
      if (!link_) link_ = co_await connect();
      co_return co_await limited(link_->run(call));
    } catch (...) {
      failure = currentExceptionAsError();
    }
    link_.reset();
    bool cut = failure->code() == ErrorCode::Unavailable || failure->code() == ErrorCode::DeadlineExceeded;
    if (!cut) throw *failure;
    co_await throwIfGone("source", source());
    co_await throwIfGone("target", target());
    if (progress_.lastProgress() != before) delay = context_.options.retryDelay;
    if (context_.clock.steadyNow() - progress_.lastProgress() > context_.options.providerOutage) throw *failure;
    operation_->detail(format("The connection was interrupted; retrying ({})", failure->message()));
    log::warning("connection of a copy was interrupted", {{"operation", operation_->record.id}, {"error", failure->message()}});
    co_await async::sleepFor(delay);
    delay = std::min(delay * 2, context_.options.maxRetryDelay);
  }
}

awaitable<RoundReport> CopyRun::round(RoundKind kind) {
  co_return co_await linked([this, kind](Link& link) { return link.round(kind, sink(Shown::Yes)); });
}

awaitable<ScanReport> CopyRun::scan(Side side) {
  co_return co_await linked([this, side](Link& link) { return link.scan(side, sink(Shown::No)); });
}

awaitable<ScanReport> CopyRun::copyAll(RoundKind kind) {
  operation_->step(Step::Copy);
  ScanReport all = co_await scan(Side::Source);
  progress_.totals(all.files, all.bytes);
  co_await round(kind);
  operation_->fault("copied");
  co_return all;
}

awaitable<void> CopyRun::readBack() {
  co_await linked([this](Link& link) { return link.digest(Side::Target, sink(Shown::Yes)); });
  co_await sync(Side::Target);
}

awaitable<void> CopyRun::sync(Side side) {
  co_await linked([side](Link& link) { return link.sync(side); });
}

awaitable<bool> CopyRun::areEqual() {
  auto [source, target] = co_await linked([this](Link& link) { return link.digests(sink(Shown::Yes)); });
  co_return source.digest == target.digest;
}

awaitable<std::string> CopyRun::differences() {
  std::string text;
  for (const transfer::Note& note : co_await linked([](Link& link) { return link.differences(kMaxDifferences); }))
    text += format("{}{} ({})", text.empty() ? "" : ", ", note.path, note.reason);
  co_return text;
}

awaitable<void> CopyRun::closeLink() {
  LinkPtr link = std::exchange(link_, nullptr);
  if (!link) co_return;
  // Best effort: an agent that is gone or stuck must not delay the operation.
  co_await attemptUnlessCancelled(async::withDeadline<void>(link->run([](Link& on) { return on.close(); }), Deadline::after(kCloseTimeout),
                                                            "Timed out closing the transfer session."));
}

awaitable<void> CopyRun::makeInstanceRun() {
  bool connected = options_.wasRunning && entry_->endpoint && entry_->ready;
  if (connected) co_return;
  if (!options_.wasRunning)
    context_.changes.setStatus(*entry_, InstanceStatus::starting, "The workspace is started so that its files can be read.");
  co_await lifecycle_.startAndBringUp(operation_);
  operation_->cancellable = true;
}

PlaceRecord CopyRun::placeOfOurs(const PlaceId& id) const {
  PlaceRecord place;
  place.createdAt = context_.clock.now();
  if (const PlaceRecord* known = context_.registry.findPlace(id)) place = *known;
  describePlace(place, *entry_, id, PlaceRole::target);
  return place;
}

awaitable<void> CopyRun::makeHeld(PlaceRecord place, Volumes volumes) {
  Provider& provider = context_.providers.at(place.provider);
  Make make = [&provider, volumes](InstanceSpec spec, Progress& progress, Deadline deadline) -> awaitable<ProviderInstance> {
    spec.newVolumes = volumes == Volumes::New;
    auto observed = co_await provider.getInstance(spec.placeId, deadline);
    if (spec.newVolumes || !observed) co_return co_await provider.createInstance(spec, progress, deadline);
    // Recreated around its volumes, with the settings that hold it: no process of the old copy may start.
    if (observed->status != InstanceStatus::running) co_await provider.replaceInstance(spec, progress, deadline);
    co_await provider.startInstance(spec.placeId, progress, deadline);
    observed = co_await provider.getInstance(spec.placeId, deadline);
    if (!observed) throw gone("place", observed);
    co_return std::move(*observed);
  };
  co_await makeHeldBy(std::move(place), std::move(make));
}

awaitable<void> CopyRun::makeHeldBy(PlaceRecord place, Make make) {
  operation_->fault("place");
  co_await places_.put(place);
  operation_->fault("placed");
  InstanceSpec spec = specOf(context_, *entry_);
  spec.placeId = place.id;
  spec.config = place.config;
  addAgentSettings(context_, spec, *entry_, operation_->record.id);
  auto progress = std::make_shared<PlaceProgress>(context_, place.id, operation_);
  auto call = [this, spec, progress, make]() mutable {
    spec.known = context_.registry.findPlace(spec.placeId)->external;
    return make(spec, *progress, Deadline::after(context_.options.createTimeout));
  };
  ProviderInstance made = co_await lifecycle_.retrying(operation_, call);
  operation_->fault("made");
  for (const ExternalResource& resource : made.external) co_await progress->recorded(resource);
  if (PlaceRecord known = *context_.registry.findPlace(place.id); !made.region.empty()) {
    known.region = made.region;
    context_.registry.putPlace(std::move(known));
  }
  co_await waitForAgent({context_.providers.at(place.provider), place.id});
}

awaitable<void> CopyRun::waitForAgent(End end) {
  operation_->detail("wait for the agent at the target");
  Deadline deadline = Deadline::after(context_.options.startTimeout);
  std::string reason = "it did not respond in time";
  // A reused place may have started without the settings that hold it.
  auto hold = [&]() -> awaitable<void> {
    agent::AgentTarget agent = co_await agentAt(end);
    co_await context_.options.moveAgents->hold(agent, operation_->record.id, "Files are being copied to this workspace.",
                                               deadline.orAfter(kHoldTimeout));
  };
  while (!deadline.hasPassed()) {
    auto held = co_await attemptUnlessCancelled(hold());
    if (held) co_return;
    if (held.error().code() != ErrorCode::DeadlineExceeded) reason = held.error().message();  // more specific than a timeout
    co_await async::sleepFor(kHoldInterval);
    co_await throwIfGone("target", end);
  }
  throw Error(ErrorCode::UpstreamFailed, format("The agent at the target of the copy is unreachable: {}", reason));
}

awaitable<void> CopyRun::switchTo(PlaceId place, OperationParameters after, PlaceRole role, SystemTime until, std::string name) {
  operation_->cancellable = false;
  co_await operation_->settle();
  OperationRecord row = operation_->record;
  row.parameters = std::move(after);
  operation_->fault("switch");
  co_await places_.switchTo(entry_, std::move(place), role, until, row, std::move(name));
  operation_->record.parameters = row.parameters;
  operation_->reservation = context_.limits.take(operation_->handler.needs(*entry_, row.parameters));  // what it still needs
  if (operation_->stop != StopReason::None) throw Error(ErrorCode::Cancelled, "The operation was superseded.");
  operation_->fault("switched");
}

awaitable<void> CopyRun::drop(PlaceId place) {
  auto remove = [&]() -> awaitable<void> {
    co_await places_.discard(place);
    operation_->fault("discarded");
    co_await places_.removeNow(place, operation_);
  };
  auto removed = co_await attemptUnlessCancelled(remove());
  if (removed) co_return;
  operation_->detail(format("The removal is retried later: {}", removed.error().message()));
  log::warning("place could not be removed yet",
               {{"operation", operation_->record.id}, {"place", place}, {"error", removed.error().message()}});
}

}  // namespace swarm::control
