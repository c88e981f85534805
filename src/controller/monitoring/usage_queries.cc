// What instances use: the calls of SwarmController.
#include "controller/impl.h"

namespace swarm {

using control::EntryPtr;

namespace {

constexpr std::chrono::seconds kMeasureTimeout{30};

}  // namespace

awaitable<ResourceUsage> SwarmController::getResourceUsage(std::string ref) {
  return onLoop([=](Impl& impl) {
    return control::UsageMonitor::measure(impl.context, impl.registry.require(ref), UsageDepth::Full, Deadline::after(kMeasureTimeout));
  });
}

awaitable<UsageResponse> SwarmController::getUsageHistory(std::string ref, UsageQuery query) {
  return onLoop([=](Impl& impl) -> awaitable<UsageResponse> {
    EntryPtr entry = impl.registry.require(ref);
    const control::UsageRange range = control::usageRangeOf(query, impl.clock.now(), impl.options.usageInterval);
    UsageResponse response;
    if (const auto last = impl.usage.lastMeasured(*entry)) static_cast<ResourceUsage&>(response) = *last;
    response.history = co_await impl.usage.history(entry, range);
    co_return response;
  });
}

awaitable<std::map<ProviderType, UsageTotal>> SwarmController::sumUsage() {
  return onLoop([](Impl& impl) { return impl.usage.totals(); });
}

awaitable<UsagePage> SwarmController::listUsage(InstanceQuery query) {
  return onLoop([=](Impl& impl) {
    UsagePage page;
    const auto& instances = impl.registry.instances();
    for (auto entry = query.after.empty() ? instances.begin() : instances.upper_bound(query.after); entry != instances.end(); ++entry) {
      if (!query.admits(entry->second->record.instance)) continue;
      std::optional<InstanceUsage> last = impl.usage.last(*entry->second);
      if (!last) continue;
      if (std::ssize(page.items) == query.limit) {
        page.next = page.items.back().instanceId;
        break;
      }
      page.items.push_back(std::move(*last));
    }
    return page;
  });
}

}  // namespace swarm
