// AgentWatch: health requests, connections, setup scripts, activity.
#include "controller/agents/agent_watch.h"

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"
#include "controller/agents/network_guard.h"

namespace swarm::control {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProbeTimeout{2000};
constexpr std::chrono::seconds kContainerQueryTimeout{10};
constexpr milliseconds kReleaseTimeout{10'000};
constexpr milliseconds kAgentHolds{1000};  // an agent that has responded delays its next response until it is ready, at most so long
constexpr std::chrono::milliseconds kMaxPause{1000};
constexpr std::chrono::minutes kConnectWithin{5};  // in a queue of all instances
constexpr std::chrono::seconds kFastProbing{3};
constexpr std::chrono::seconds kContainerQueryInterval{2};
constexpr std::chrono::milliseconds kBetweenDoubts{300};
constexpr std::string_view kNotHeld =
    "its agent did not wait for the rules of its network. Use an image that is built from the present workspace image; a container that is "
    "older than the policy is replaced by `swarm update NAME --refresh-image`.";
constexpr std::string_view kSetupRuns = "VS Code is ready; the setup script (~/.config/swarm/setup.sh) is still running.";

}  // namespace

std::string setupReasonOf(const Entry& entry) {
  const SetupReport& setup = entry.setup;
  if (setup.state == agent::SetupState::Running) return std::string(kSetupRuns);
  if (setup.state != agent::SetupState::Failed) return setup.warning;
  return format(
      "The setup script (~/.config/swarm/setup.sh) failed with exit code {0}. Its output is in the workspace's log (`swarm logs {1}`). "
      "To run it again: `swarm exec {1} -- sh -c '~/.config/swarm/setup.sh'`.{2}{3}",
      setup.exitCode, entry.record.instance.config.name, setup.warning.empty() ? "" : " ", setup.warning);
}

std::chrono::milliseconds pauseAfterInvalidResponses(int count) {
  constexpr std::chrono::milliseconds first{200};
  constexpr std::chrono::milliseconds longest{10'000};
  if (count <= 0) return milliseconds(0);
  return std::min(first * (1 << std::min(count - 1, 10)), longest);
}

awaitable<agent::AgentHealth> AgentWatch::probe(agent::AgentTarget target, Deadline deadline, milliseconds wait) const {
  if (context_.options.probe) return context_.options.probe(std::move(target), deadline);
  return agent::getHealth(std::move(target), deadline, wait);
}

awaitable<agent::AgentActivity> AgentWatch::getActivity(agent::AgentTarget target, Deadline deadline) const {
  if (context_.options.activity) return context_.options.activity(std::move(target), deadline);
  return agent::getActivity(std::move(target), deadline);
}

awaitable<bool> AgentWatch::isStillRunning(EntryPtr entry, std::string& reason) {
  auto queried = co_await attempt(context_.providers.of(*entry).getInstance(entry->placeId(), Deadline::after(kContainerQueryTimeout)));
  if (!queried) co_return true;  // unknown: the reconciler handles an unreachable provider
  const std::optional<ProviderInstance>& observed = *queried;
  if (!observed) {
    reason = "The container was removed while it started.";
    co_return false;
  }
  if (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting) co_return true;
  reason = observed->reason.empty() ? "The container stopped while it started." : format("Its container {}.", observed->reason);
  co_return false;
}

awaitable<ReadinessReport> AgentWatch::waitUntilReady(EntryPtr entry, Deadline deadline,
                                                      std::function<void(const std::string&)> on_trouble) {
  using Steady = std::chrono::steady_clock;
  auto began = Steady::now();
  auto looked = began;
  auto pause = context_.options.probeInterval;
  std::uint64_t epoch = entry->epoch;
  bool responded = false;
  int invalid_responses = 0;                // in a row
  std::optional<Steady::time_point> ended;  // when VS Code's process began to end after each start
  std::string reason;
  NetworkGuard guard(context_, entry);
  auto seen = entry->observed.version();
  while (!deadline.hasPassed()) {
    if (entry->epoch != epoch || !entry->endpoint) co_return ReadinessReport{Readiness::Gone, "It was stopped."};
    std::optional<std::string> unenforceable;
    try {
      if (!guard.stands()) {
        co_await guard.set(deadline);
        began = Steady::now();  // the agent may take its time from now on
      }
      agent::AgentHealth health =
          co_await probe(targetOf(*entry), deadline.orAfter(kProbeTimeout), responded ? kAgentHolds : milliseconds(0));
      responded = true;
      invalid_responses = 0;
      reason = health.reason;
      if (!health.vscodeEnded) ended.reset();
      if (health.vscodeEnded && !ended) ended = Steady::now();
      if (health.vscodeEnded && on_trouble) on_trouble(reason);
      entry->setup = {health.setup, health.setupExitCode, health.warning};
      if (entry->epoch != epoch) co_return ReadinessReport{Readiness::Gone, "It was stopped."};
      if (!co_await guard.admits(health, deadline)) unenforceable = kNotHeld;
      // The current place is held until its rules stand, or for a move that has ended or was rolled back.
      const bool is_released = !health.held.empty() && guard.stands();
      if (is_released) co_await context_.options.moveAgents->release(targetOf(*entry), health.boot, deadline.orAfter(kReleaseTimeout));
      if (health.ready && guard.stands() && !unenforceable) {
        entry->ready = true;
        entry->generation = health.generation;
        context_.routes.changed(*entry);
        co_return ReadinessReport{Readiness::Ready, ""};
      }
    } catch (const Error& error) {
      reason = error.message();
      invalid_responses = error.code() == ErrorCode::UpstreamFailed ? invalid_responses + 1 : 0;
      if (error.code() == ErrorCode::Unprocessable && !guard.stands()) unenforceable = reason;
    }
    if (unenforceable) co_return ReadinessReport{Readiness::Gone, co_await guard.stop(std::move(*unenforceable), deadline)};
    if (entry->ready && entry->epoch == epoch) {  // not ready any more: VS Code's server is being replaced
      entry->ready = false;
      context_.routes.changed(*entry);
    }
    if (!responded && guard.stands() && Steady::now() - began >= context_.options.agentRefusal) break;
    if (ended && Steady::now() - *ended >= context_.options.agentRefusal) break;
    bool something_happened =
        co_await entry->observed.wait(seen, deadline.orAfter(std::max(pause, pauseAfterInvalidResponses(invalid_responses))));
    if (something_happened || Steady::now() - looked > kContainerQueryInterval) {
      seen = entry->observed.version();
      looked = Steady::now();
      std::string why;
      if (!co_await isStillRunning(entry, why)) co_return ReadinessReport{Readiness::Gone, why};
    }
    if (Steady::now() - began > kFastProbing) pause = std::min(pause * 2, kMaxPause);
  }
  if (responded)
    co_return ReadinessReport{Readiness::NoResponse, format("The container is running, but VS Code is not responding: {}", reason)};
  if (!guard.stands())
    co_return ReadinessReport{Readiness::NoResponse,
                              format("The container is running, but the rules of its network do not stand yet: {}", reason)};
  co_return ReadinessReport{
      Readiness::NoResponse,
      format("The container is running, but VS Code is unreachable: {} Use an image that is built from the workspace image, "
             "whose first process is swarm-agent.",
             reason)};
}

awaitable<void> AgentWatch::connect(EntryPtr entry) {
  auto permit = co_await connecting_.acquire(Deadline::after(kConnectWithin));
  std::uint64_t epoch = entry->epoch;
  AgentEndpoint endpoint =
      co_await context_.providers.of(*entry).agentEndpoint(entry->placeId(), Deadline::after(std::chrono::seconds(15)));
  if (entry->epoch == epoch) entry->endpoint = std::move(endpoint);
  context_.routes.changed(*entry);
}

void AgentWatch::watch(EntryPtr entry, std::chrono::milliseconds bound) {
  if (entry->watching || entry->removed || entry->instance().status != InstanceStatus::running) return;
  entry->watching = true;
  context_.tasks.spawn("watch " + entry->id().str(), follow(entry, bound));
}

awaitable<void> AgentWatch::follow(EntryPtr entry, std::chrono::milliseconds bound) {
  co_await check(entry, bound);
  co_await async::sleepFor(kBetweenDoubts);
  entry->watching = false;
  if (std::exchange(entry->watchAgain, false)) watch(entry, context_.options.startTimeout);
}

awaitable<void> AgentWatch::check(EntryPtr entry, std::chrono::milliseconds bound) {
  std::uint64_t epoch = entry->epoch;
  auto connect_and_wait = [&]() -> awaitable<ReadinessReport> {
    if (!entry->endpoint) co_await connect(entry);
    co_return co_await waitUntilReady(entry, Deadline::after(bound));
  };
  auto report = co_await attemptUnlessCancelled(connect_and_wait());
  bool still_ours = entry->epoch == epoch && entry->instance().status == InstanceStatus::running && entry->instance().operationId.empty();
  if (!still_ours) {
    entry->watchAgain = true;  // the result is of the former place; the new one is checked next
    co_return;
  }
  if (report && report->readiness == Readiness::Gone) co_return;  // the reconciler describes that
  bool is_ready = report && report->readiness == Readiness::Ready;
  if (is_ready) noteUse(entry->id());  // after a restart of the server, the agent's value is newer than the row
  std::string reason =
      report ? report->reason : format("The container is running, but its agent is unreachable: {}", report.error().message());
  if (reason.empty()) reason = entry->notice;
  bool is_known = entry->instance().statusReason == reason || (is_ready && entry->instance().statusReason == setupReasonOf(*entry));
  if (!is_known) context_.changes.setStatus(*entry, InstanceStatus::running, reason);
  if (is_ready) followSetup(entry);
}

void AgentWatch::followSetup(EntryPtr entry) {
  bool nothing_to_say = setupReasonOf(*entry).empty() && entry->instance().statusReason != kSetupRuns;
  if (!entry->ready || entry->followingSetup || nothing_to_say) return;
  entry->followingSetup = true;
  context_.tasks.spawn("setup of " + entry->id().str(), watchSetup(entry));
}

awaitable<void> AgentWatch::watchSetup(EntryPtr entry) {
  std::uint64_t epoch = entry->epoch;
  for (;;) {
    Instance& instance = entry->instance();
    std::string reason = setupReasonOf(*entry);
    bool is_ours = instance.statusReason.empty() || instance.statusReason == kSetupRuns;
    bool settled = instance.status == InstanceStatus::running && instance.operationId.empty();
    if (settled && is_ours && instance.statusReason != reason) context_.changes.setStatus(*entry, InstanceStatus::running, reason);
    if (settled && entry->setup.state != agent::SetupState::Running) break;
    co_await async::sleepFor(context_.options.setupInterval);
    if (entry->epoch != epoch || entry->removed || !entry->endpoint) break;
    auto health = co_await attemptUnlessCancelled(probe(targetOf(*entry), Deadline::after(kProbeTimeout)));
    if (health) entry->setup = {health->setup, health->setupExitCode, health->warning};
  }
  entry->followingSetup = false;
}

void AgentWatch::noteTrouble(const InstanceId& instance_id) {
  EntryPtr entry = context_.registry.find(instance_id);
  if (entry && entry->watching) entry->watchAgain = true;
  if (!entry || entry->watching || entry->instance().status != InstanceStatus::running || !entry->instance().operationId.empty()) return;
  watch(entry, context_.options.startTimeout);
}

awaitable<void> AgentWatch::queryActivity(EntryPtr entry) {
  auto activity = co_await attempt(getActivity(targetOf(*entry), Deadline::after(kProbeTimeout)));
  if (activity) entry->noteActive(std::min(activity->lastActivity, context_.clock.now()));  // the workspace's clock may be ahead
  if (!activity) log::debug("activity of an agent was not available", {{"instance", entry->id()}, {"error", activity.error().message()}});
  entry->queryingActivity = false;
}

void AgentWatch::noteUse(const InstanceId& instance_id) {
  EntryPtr entry = context_.registry.find(instance_id);
  if (!entry || entry->queryingActivity || !entry->ready || !entry->endpoint) return;
  entry->queryingActivity = true;
  context_.tasks.spawn("activity of " + entry->id().str(), queryActivity(entry));
}

}  // namespace swarm::control
