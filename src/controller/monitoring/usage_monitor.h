// UsageMonitor: samples what running instances use, at intervals: a day in memory, a month in the store.
#pragma once

#include "controller/controller.h"
#include "controller/monitoring/usage_series.h"
#include "controller/state/context.h"

namespace swarm::control {

/// For the control loop only.
class UsageMonitor {
 public:
  explicit UsageMonitor(const Context& context) : context_(context) {}

  void begin();
  awaitable<void> close();  ///< saves what is not saved yet

  awaitable<UsageHistory> history(EntryPtr entry, UsageRange range);
  /// The last sample of a running instance; nothing when the instance has not been sampled since it was started.
  std::optional<InstanceUsage> last(const Entry& entry) const;
  std::optional<ResourceUsage> lastMeasured(const Entry& entry) const;

  std::map<ProviderType, UsageTotal> totals() const;

  /// What the provider measures, or else the agent.
  static awaitable<ResourceUsage> measure(const Context& context, EntryPtr entry, UsageDepth depth, Deadline deadline);

 private:
  /// Of an instance that was sampled.
  struct Sampled {
    UsageSeries series;
    ResourceUsage usage;             ///< of the last sample
    std::string incarnation;         ///< of the container that was sampled
    std::optional<SteadyTime> read;  ///< when; empty: not since its container was started
    SteadyTime deepest{};            ///< when its storage was measured
  };
  struct Pass;
  const Sampled* current(const Entry& entry) const;  ///< null as last()
  awaitable<void> run(ProviderType type);
  awaitable<void> samplePass(ProviderType type);
  awaitable<void> sampleNext(std::shared_ptr<Pass> pass);
  awaitable<void> sample(EntryPtr entry);
  void note(const Entry& entry, const ResourceUsage& usage, SteadyTime now);
  awaitable<void> keepRows();  ///< saves and prunes, until cancelled
  awaitable<void> prune();
  awaitable<void> save(UsageSeries::Which which);
  std::size_t capacity() const;  ///< of each series

  const Context& context_;
  std::map<InstanceId, Sampled> sampled_;
  SystemTime coarse_until_{};  ///< the store's rows before this time are of an hour
};

}  // namespace swarm::control
