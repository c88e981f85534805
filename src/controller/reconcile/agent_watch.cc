// AgentWatch.
#include "controller/reconcile/agent_watch.h"

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"

namespace swarm::control {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProbeTimeout{2000};
constexpr milliseconds kReleaseTimeout{10'000};
constexpr milliseconds kAgentHolds{1000};  // once it has said "not yet", the agent itself says when
constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr std::chrono::minutes kConnectWithin{5};  // in line behind all the others
constexpr std::chrono::seconds kEagerFor{3};
constexpr std::chrono::seconds kLookAtContainerEvery{2};
constexpr std::chrono::milliseconds kBetweenDoubts{300};
constexpr std::string_view kSetupRuns = "VS Code is ready; the setup script (~/.config/swarm/setup.sh) is still running.";

/// What a status says of the setup script; empty: nothing that anybody need know.
std::string reasonOf(const SetupReport& setup) {
  if (setup.state == "running") return std::string(kSetupRuns);
  if (setup.state != "failed") return {};
  return format("The setup script (~/.config/swarm/setup.sh) failed with exit code {}. Its output is in the workspace's log.",
                setup.exitCode);
}

}  // namespace

std::chrono::milliseconds pauseAfterWrongAnswers(int count) {
  constexpr std::chrono::milliseconds first{200};
  constexpr std::chrono::milliseconds longest{10'000};
  if (count <= 0) return milliseconds(0);
  return std::min(first * (1 << std::min(count - 1, 10)), longest);
}

awaitable<bool> AgentWatch::stillRuns(EntryPtr entry, std::string& reason) {
  std::optional<ProviderInstance> observed;
  try {
    observed = co_await core_.providerOf(*entry).getInstance(entry->placeId(), Deadline::after(std::chrono::seconds(10)));
  } catch (const Error&) {
    co_return true;  // not known: whoever watches the provider finds out
  }
  if (!observed) {
    reason = "Its container was removed while it started.";
    co_return false;
  }
  if (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting) co_return true;
  reason = observed->reason.empty() ? "Its container stopped while it started." : format("Its container {}.", observed->reason);
  co_return false;
}

awaitable<ReadinessReport> AgentWatch::waitUntilReady(EntryPtr entry, Deadline deadline) {
  using Steady = std::chrono::steady_clock;
  auto began = Steady::now();
  auto looked = began;
  auto pause = core_.options.probeInterval;
  std::uint64_t epoch = entry->epoch;
  bool heard = false;
  int wrong_answers = 0;                    // in a row
  std::optional<Steady::time_point> ended;  // since when VS Code's process ends whenever it is started
  std::string reason;
  auto seen = entry->observed.version();
  while (!deadline.hasPassed()) {
    if (entry->epoch != epoch || !entry->endpoint) co_return ReadinessReport{Readiness::Gone, "It was stopped."};
    try {
      agent::AgentHealth health =
          co_await core_.probe(core_.targetOf(*entry), deadline.orAfter(kProbeTimeout), heard ? kAgentHolds : milliseconds(0));
      heard = true;
      wrong_answers = 0;
      reason = health.reason;
      if (!health.vscodeEnded) ended.reset();
      if (health.vscodeEnded && !ended) ended = Steady::now();
      entry->setup = {health.setup, health.setupExitCode};
      if (entry->epoch != epoch) co_return ReadinessReport{Readiness::Gone, "It was stopped."};
      // The place in force, and it waits for the end of a move: a move that has ended, or that was taken back.
      if (!health.held.empty()) co_await core_.moveAgents()->release(core_.targetOf(*entry), deadline.orAfter(kReleaseTimeout));
      if (health.ready) {
        entry->ready = true;
        entry->generation = health.generation;
        core_.routeChanged(*entry);
        co_return ReadinessReport{Readiness::Ready, ""};
      }
    } catch (const Error& error) {
      reason = error.message();
      wrong_answers = error.code() == ErrorCode::UpstreamFailed ? wrong_answers + 1 : 0;
    }
    if (entry->ready && entry->epoch == epoch) {  // it was, and is not any more: its server is being replaced
      entry->ready = false;
      core_.routeChanged(*entry);
    }
    if (!heard && Steady::now() - began >= core_.options.agentRefusal) break;
    if (ended && Steady::now() - *ended >= core_.options.agentRefusal) break;
    bool something_happened = co_await entry->observed.wait(seen, deadline.orAfter(std::max(pause, pauseAfterWrongAnswers(wrong_answers))));
    if (something_happened || Steady::now() - looked > kLookAtContainerEvery) {
      seen = entry->observed.version();
      looked = Steady::now();
      std::string why;
      if (!co_await stillRuns(entry, why)) co_return ReadinessReport{Readiness::Gone, why};
    }
    if (Steady::now() - began > kEagerFor) pause = std::min(pause * 2, kLongestPause);
  }
  if (heard) co_return ReadinessReport{Readiness::NoAnswer, format("It runs, but VS Code in it does not answer: {}", reason)};
  co_return ReadinessReport{Readiness::NoAnswer,
                            format("It runs, but VS Code in it can't be reached: {} Its image must be made from the workspace image, "
                                   "whose first process is swarm-agent.",
                                   reason)};
}

awaitable<void> AgentWatch::connect(EntryPtr entry) {
  auto permit = co_await connecting_.acquire(Deadline::after(kConnectWithin));
  std::uint64_t epoch = entry->epoch;
  AgentEndpoint endpoint = co_await core_.providerOf(*entry).agentEndpoint(entry->placeId(), Deadline::after(std::chrono::seconds(15)));
  if (entry->epoch == epoch) entry->endpoint = std::move(endpoint);
  core_.routeChanged(*entry);
}

void AgentWatch::watch(EntryPtr entry, std::chrono::milliseconds bound) {
  if (entry->watching || entry->removed || entry->instance().status != InstanceStatus::running) return;
  entry->watching = true;
  core_.spawn("watch " + entry->id(), follow(entry, bound));
}

awaitable<void> AgentWatch::follow(EntryPtr entry, std::chrono::milliseconds bound) {
  co_await look(entry, bound);
  co_await net::sleepFor(kBetweenDoubts);
  entry->watching = false;
  if (std::exchange(entry->watchAgain, false)) watch(entry, core_.options.startTimeout);
}

awaitable<void> AgentWatch::look(EntryPtr entry, std::chrono::milliseconds bound) {
  std::uint64_t epoch = entry->epoch;
  std::optional<Error> failure;
  ReadinessReport report;
  try {
    if (!entry->endpoint) co_await connect(entry);
    report = co_await waitUntilReady(entry, Deadline::after(bound));
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;
  bool still_ours = entry->epoch == epoch && entry->instance().status == InstanceStatus::running && entry->instance().operationId.empty();
  if (!still_ours) {
    entry->watchAgain = true;  // what was asked for concerned the place before; the new one is looked at next
    co_return;
  }
  if (!failure && report.readiness == Readiness::Gone) co_return;  // the reconciler describes that
  bool is_ready = !failure && report.readiness == Readiness::Ready;
  if (is_ready) noteUse(entry->id());  // after our restart it knows more than our row
  std::string reason = failure ? format("It runs, but its agent can't be reached: {}", failure->message()) : report.reason;
  if (reason.empty()) reason = entry->notice;
  bool is_known = entry->instance().statusReason == reason || (is_ready && entry->instance().statusReason == reasonOf(entry->setup));
  if (!is_known) core_.setStatus(*entry, InstanceStatus::running, reason);
  if (is_ready) followSetup(entry);
}

void AgentWatch::followSetup(EntryPtr entry) {
  bool nothing_to_say = reasonOf(entry->setup).empty() && entry->instance().statusReason != kSetupRuns;
  if (!entry->ready || entry->followingSetup || nothing_to_say) return;
  entry->followingSetup = true;
  core_.spawn("setup of " + entry->id(), watchSetup(entry));
}

awaitable<void> AgentWatch::watchSetup(EntryPtr entry) {
  std::uint64_t epoch = entry->epoch;
  for (;;) {
    Instance& instance = entry->instance();
    std::string reason = reasonOf(entry->setup);
    bool is_ours = instance.statusReason.empty() || instance.statusReason == kSetupRuns;
    bool settled = instance.status == InstanceStatus::running && instance.operationId.empty();
    if (settled && is_ours && instance.statusReason != reason) core_.setStatus(*entry, InstanceStatus::running, reason);
    if (settled && entry->setup.state != "running") break;
    co_await net::sleepFor(core_.options.setupInterval);
    if (entry->epoch != epoch || entry->removed || !entry->endpoint) break;
    try {
      agent::AgentHealth health = co_await core_.probe(core_.targetOf(*entry), Deadline::after(kProbeTimeout));
      entry->setup = {health.setup, health.setupExitCode};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;  // else: asked again
    }
  }
  entry->followingSetup = false;
}

void AgentWatch::noteTrouble(const std::string& instance_id) {
  EntryPtr entry = core_.find(instance_id);
  if (entry && entry->watching) entry->watchAgain = true;
  if (!entry || entry->watching || entry->instance().status != InstanceStatus::running || !entry->instance().operationId.empty()) return;
  watch(entry, core_.options.startTimeout);
}

awaitable<void> AgentWatch::askForActivity(EntryPtr entry) {
  try {
    agent::AgentActivity activity = co_await core_.activity(core_.targetOf(*entry), Deadline::after(kProbeTimeout));
    core_.noteActive(*entry, activity.lastActivity);
  } catch (const Error& error) {
    log::debug("an agent did not tell of its activity", {{"instance", entry->id()}, {"error", error.message()}});
  }
  entry->asking = false;
}

void AgentWatch::noteUse(const std::string& instance_id) {
  EntryPtr entry = core_.find(instance_id);
  if (!entry || entry->asking || !entry->ready || !entry->endpoint) return;
  entry->asking = true;
  core_.spawn("activity of " + entry->id(), askForActivity(entry));
}

}  // namespace swarm::control
