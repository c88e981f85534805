#include "controller/monitoring/usage_monitor.h"

#include <cmath>

#include "agent/client/client.h"
#include "async/attempt.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "controller/agents/agent_settings.h"

namespace swarm::control {
namespace {

constexpr std::size_t kAtOnce = 4;  ///< requests to one provider
constexpr std::chrono::seconds kSampleTimeout{10};
constexpr std::chrono::minutes kStorageInterval{15};  ///< measuring it reads the whole tree of files
constexpr std::chrono::hours kInMemory{24};
constexpr std::size_t kMaxSamples = 700'000;  ///< of all instances: 16 MiB; with more instances, the day becomes shorter
constexpr std::chrono::days kInStore{31};
constexpr std::chrono::days kFine{2};  ///< rows of a quarter of an hour; older ones are of an hour
constexpr std::chrono::minutes kSaveInterval{1};
constexpr std::chrono::hours kPruneInterval{1};
constexpr double kMaxAmount = 1e15;
constexpr std::size_t kRecentSamples = 20;  ///< in lists

/// A counter that became smaller has begun at 0 again.
double rateOf(double before, double now, std::chrono::duration<double> elapsed) {
  const double grown = now >= before ? now - before : now;
  return elapsed.count() > 0 ? grown / elapsed.count() : 0;
}

constexpr double kNearlyFull = 0.9;

void add(UsageTotal& total, const ResourceUsage& usage, const UsageSample& sample) {
  ++total.instances;
  const auto add_size = [](SizeUsage& sum, const SizeUsage& one, std::int64_t& nearly_full) {
    sum.usage += one.usage;
    sum.limit += one.limit;
    nearly_full += one.limit > 0 && one.usage >= kNearlyFull * one.limit ? 1 : 0;
  };
  total.usage.cpu.usage += usage.cpu.usage;
  total.usage.cpu.limit += usage.cpu.limit;
  add_size(total.usage.memory, usage.memory, total.nearlyFullMemory);
  add_size(total.usage.storage, usage.storage, total.nearlyFullStorage);
  total.usage.network.received += usage.network.received;
  total.usage.network.sent += usage.network.sent;
  total.network.received += static_cast<double>(sample.received);
  total.network.sent += static_cast<double>(sample.sent);
}

/// What an agent or an Engine reported, as amounts that can be shown and added up.
ResourceUsage cleaned(ResourceUsage usage) {
  for (double* amount : {&usage.cpu.usage, &usage.memory.usage, &usage.storage.usage, &usage.network.received, &usage.network.sent})
    *amount = std::isfinite(*amount) ? std::clamp(*amount, 0.0, kMaxAmount) : 0;
  return usage;
}

}  // namespace

/// Instances that are sampled one by one, by several coroutines.
struct UsageMonitor::Pass {
  std::vector<EntryPtr> left;
  std::size_t running = 0;
  Notifier ended;
};

void UsageMonitor::begin() {
  if (context_.options.usageInterval.count() == 0) return;
  for (const auto& [type, provider] : context_.providers) context_.tasks.spawn("sample usage", run(type));
  context_.tasks.spawn("keep usage", keepRows());
}

awaitable<void> UsageMonitor::run(ProviderType type) {
  for (SteadyTime next = context_.clock.steadyNow();;) {
    next = std::max(next + context_.options.usageInterval, context_.clock.steadyNow());
    co_await async::sleepFor(std::chrono::ceil<std::chrono::milliseconds>(next - context_.clock.steadyNow()));
    co_await samplePass(type);
  }
}

awaitable<void> UsageMonitor::samplePass(ProviderType type) {
  auto pass = std::make_shared<Pass>();
  for (const auto& [id, entry] : context_.registry.instances()) {
    const Instance& instance = entry->instance();
    if (instance.provider == type && instance.status == InstanceStatus::running && !instance.stale) pass->left.push_back(entry);
  }
  pass->running = std::min(pass->left.size(), kAtOnce);
  for (std::size_t i = pass->running; i > 0; --i) context_.tasks.spawn("sample usage", sampleNext(pass));
  while (pass->running > 0) co_await pass->ended.wait(pass->ended.version(), Deadline::never());
}

awaitable<void> UsageMonitor::sampleNext(std::shared_ptr<Pass> pass) {
  while (!pass->left.empty()) {
    EntryPtr entry = std::move(pass->left.back());
    pass->left.pop_back();
    // An instance that cannot be sampled has a gap; its provider's health is reported elsewhere.
    const auto sampled = co_await async::attempt(sample(entry));
    if (!sampled) log::debug("an instance was not sampled", {{"instance", entry->id().str()}, {"error", sampled.error().message()}});
  }
  --pass->running;
  pass->ended.notifyAll();
}

awaitable<void> UsageMonitor::sample(EntryPtr entry) {
  const SteadyTime now = context_.clock.steadyNow();
  const auto known = sampled_.find(entry->id());
  const bool is_shallow = known != sampled_.end() && known->second.read && now - known->second.deepest < kStorageInterval;
  const std::string incarnation = entry->incarnation;
  const ResourceUsage usage =
      co_await measure(context_, entry, is_shallow ? UsageDepth::KnownStorage : UsageDepth::Full, Deadline::after(kSampleTimeout));
  if (entry->removed || entry->incarnation != incarnation) co_return;
  if (!is_shallow) sampled_[entry->id()].deepest = now;
  note(*entry, usage, context_.clock.steadyNow());
}

void UsageMonitor::note(const Entry& entry, const ResourceUsage& usage, SteadyTime now) {
  Sampled& sampled = sampled_[entry.id()];
  const auto last = sampled.series.last();
  if (last && last->at == std::chrono::floor<std::chrono::seconds>(context_.clock.now())) return;  // a series has one in a second
  if (sampled.incarnation != entry.incarnation) sampled.read.reset();
  TrafficRate rate;
  if (sampled.read) {
    const TrafficUsage& before = sampled.usage.network;
    rate = {rateOf(before.received, usage.network.received, now - *sampled.read),
            rateOf(before.sent, usage.network.sent, now - *sampled.read)};
  }
  sampled.incarnation = entry.incarnation;
  sampled.usage = usage;
  sampled.read = now;
  sampled.series.add({.at = context_.clock.now(),
                      .cpu = std::llround(usage.cpu.usage * 10),
                      .memory = std::llround(usage.memory.usage * 1024),
                      .storage = std::llround(usage.storage.usage * 1024 * 1024),
                      .received = std::llround(rate.received),
                      .sent = std::llround(rate.sent)},
                     capacity());
}

std::size_t UsageMonitor::capacity() const {
  const auto day = static_cast<std::size_t>(kInMemory / context_.options.usageInterval);
  return std::min(day, kMaxSamples / std::max<std::size_t>(sampled_.size(), 1));
}

awaitable<ResourceUsage> UsageMonitor::measure(const Context& context, EntryPtr entry, UsageDepth depth, Deadline deadline) {
  Provider& provider = context.providers.of(*entry);
  ResourceUsage usage = co_await provider.getResourceUsage(entry->placeId(), depth, deadline);
  if (provider.info().measuresUsage || !entry->endpoint || entry->instance().status != InstanceStatus::running) co_return cleaned(usage);
  const ResourceUsage inside = co_await agent::getUsage(targetOf(*entry), deadline);
  usage.cpu.usage = inside.cpu.usage;
  usage.memory.usage = inside.memory.usage;
  usage.storage.usage = inside.storage.usage;
  usage.network = inside.network;
  co_return cleaned(usage);
}

const UsageMonitor::Sampled* UsageMonitor::current(const Entry& entry) const {
  const auto known = sampled_.find(entry.id());
  if (known == sampled_.end() || !known->second.read || known->second.incarnation != entry.incarnation) return nullptr;
  return entry.record.instance.status == InstanceStatus::running ? &known->second : nullptr;
}

std::optional<ResourceUsage> UsageMonitor::lastMeasured(const Entry& entry) const {
  const Sampled* sampled = current(entry);
  return sampled != nullptr ? std::optional(sampled->usage) : std::nullopt;
}

std::optional<InstanceUsage> UsageMonitor::last(const Entry& entry) const {
  const Sampled* sampled = current(entry);
  const auto sample = sampled != nullptr ? sampled->series.last() : std::nullopt;
  if (!sample) return std::nullopt;
  const Instance& instance = entry.record.instance;
  const ResourceUsage& usage = sampled->usage;
  return InstanceUsage{.instanceId = instance.id,
                       .name = instance.config.name,
                       .owner = instance.owner,
                       .provider = instance.provider,
                       .at = sample->at,
                       .cpu = usage.cpu,
                       .memory = usage.memory,
                       .storage = usage.storage,
                       .network = {static_cast<double>(sample->received), static_cast<double>(sample->sent)},
                       .recentCpu = sampled->series.recentCpu(kRecentSamples)};
}

std::map<ProviderType, UsageTotal> UsageMonitor::totals() const {
  std::map<ProviderType, UsageTotal> totals;
  for (const auto& [type, provider] : context_.providers) totals[type];
  for (const auto& [id, entry] : context_.registry.instances()) {
    const Sampled* sampled = current(*entry);
    const auto sample = sampled != nullptr ? sampled->series.last() : std::nullopt;
    if (sample) add(totals[entry->record.instance.provider], sampled->usage, *sample);
  }
  return totals;
}

awaitable<UsageHistory> UsageMonitor::history(EntryPtr entry, UsageRange range) {
  // A row whose span began before `from` belongs to the first point.
  const std::vector<UsageSums> stored =
      co_await context_.store.usage().read(entry->id(), range.from - std::chrono::milliseconds(range.step), range.to);
  const auto known = sampled_.find(entry->id());
  co_return known == sampled_.end() ? UsageSeries().history(range, stored) : known->second.series.history(range, stored);
}

awaitable<void> UsageMonitor::keepRows() {
  for (SteadyTime pruned{};;) {
    co_await async::sleepFor(kSaveInterval);
    std::erase_if(sampled_, [this](const auto& one) { return !context_.registry.find(one.first); });
    co_await save(UsageSeries::Which::Ended);
    if (context_.clock.steadyNow() - pruned < kPruneInterval) continue;
    pruned = context_.clock.steadyNow();
    const auto done = co_await async::attempt(prune());
    if (!done) log::warning("old usage could not be removed", {{"error", done.error().message()}});
  }
}

awaitable<void> UsageMonitor::prune() {
  const SystemTime now = std::chrono::floor<std::chrono::hours>(context_.clock.now());
  co_await context_.store.usage().prune(now - kInStore);
  const SystemTime from = std::max(coarse_until_, now - kInStore);
  if (from >= now - kFine) co_return;
  co_await context_.store.usage().coarsen(from, now - kFine);
  coarse_until_ = now - kFine;
}

awaitable<void> UsageMonitor::save(UsageSeries::Which which) {
  std::vector<UsageRow> rows;
  for (auto& [id, sampled] : sampled_)
    for (const UsageSums& sums : sampled.series.takeSums(context_.clock.now(), which)) rows.push_back({id, sums});
  if (rows.empty()) co_return;
  const auto saved = co_await async::attempt(context_.store.usage().add(std::move(rows)));
  // The disk may be full: usage is not worth a repeated attempt, and the rest of the server reports the disk.
  if (!saved) log::warning("usage could not be saved", {{"error", saved.error().message()}});
}

awaitable<void> UsageMonitor::close() {
  if (context_.options.usageInterval.count() != 0) co_await save(UsageSeries::Which::All);
}

}  // namespace swarm::control
