// The Engine's statistics are totals: a percentage needs two of them.
#include "provider/docker/usage_sampler.h"

#include <charconv>

#include "async/attempt.h"
#include "async/deadline.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::milliseconds kMinSpan{200};  ///< between two CPU samples
constexpr std::chrono::seconds kMaxSpan{120};       ///< an older sample does not describe the present
constexpr std::chrono::seconds kStorageMemory{60};  ///< du reads every file: once a minute is enough
constexpr std::chrono::seconds kStorageTime{5};     ///< and not for longer than this

double cpuNanoseconds(const json::value& statistics) {
  return static_cast<double>(integerAt(statistics, "cpu_stats.cpu_usage.total_usage"));
}

double memoryMib(const json::value& statistics) {
  // cgroup v1 calls it total_inactive_file, v2 inactive_file: cached file pages that are dropped first when memory is short.
  std::int64_t usage = integerAt(statistics, "memory_stats.usage");
  std::int64_t inactive = integerAt(statistics, "memory_stats.stats.total_inactive_file");
  if (inactive == 0) inactive = integerAt(statistics, "memory_stats.stats.inactive_file");
  return static_cast<double>(std::max<std::int64_t>(0, usage - inactive)) / static_cast<double>(kMib);
}

/// Of all networks of the container.
TrafficUsage trafficOf(const json::value& statistics) {
  TrafficUsage traffic;
  const json::object* networks = objectAt(statistics, "networks");
  if (networks == nullptr) return traffic;
  for (const auto& [name, one] : *networks) {
    traffic.received += static_cast<double>(integerAt(one, "rx_bytes"));
    traffic.sent += static_cast<double>(integerAt(one, "tx_bytes"));
  }
  return traffic;
}

/// The sum of lines such as "1234\t/home/coder". The image's own du wrote them: any text is possible.
std::uint64_t sumOfLines(std::string_view text) {
  std::uint64_t sum = 0;
  while (!text.empty()) {
    std::uint64_t size = 0;
    std::from_chars(text.data(), text.data() + text.size(), size);
    sum += size;
    std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return sum;
}

}  // namespace

awaitable<json::value> UsageSampler::statistics(PlaceId place_id, Deadline deadline) {
  auto sample = [&](std::string container) { return parts_.context.engine.sampleStatistics(std::move(container), deadline); };
  co_return orThrow(co_await parts_.index.withContainer(std::move(place_id), sample, deadline));
}

awaitable<double> UsageSampler::cpuPercent(PlaceId place_id, const json::value& first, Deadline deadline) {
  std::string container = stringAt(first, "id");
  CpuSample now{cpuNanoseconds(first), timeAt(first, "read")};
  CpuSample before = now;
  std::erase_if(cpu_, [&](const auto& known) { return now.at - known.second.at > kMaxSpan; });
  auto known = cpu_.find(container);
  bool usable = known != cpu_.end() && now.at - known->second.at >= kMinSpan && known->second.nanoseconds <= now.nanoseconds;
  if (usable) {
    before = known->second;
  } else {
    co_await async::sleepFor(kMinSpan);
    json::value second = co_await statistics(std::move(place_id), deadline);
    now = {cpuNanoseconds(second), timeAt(second, "read")};
  }
  cpu_[container] = now;
  double span = static_cast<double>(std::chrono::nanoseconds(now.at - before.at).count());
  co_return span > 0 ? std::max(0.0, (now.nanoseconds - before.nanoseconds) / span * 100) : 0;
}

awaitable<double> UsageSampler::storageGib(PlaceId place_id, const ContainerDetails& details, UsageDepth depth, Deadline deadline) {
  auto known = storage_.find(place_id);
  double last = known == storage_.end() ? 0 : known->second.gib;
  auto now = std::chrono::steady_clock::now();
  if (depth == UsageDepth::KnownStorage || (known != storage_.end() && now - known->second.at < kStorageMemory)) co_return last;
  if (details.mountPaths.empty() || !details.runs()) co_return last;
  storage_[place_id] = {last, now};  // a du that fails or takes too long is not repeated at once
  std::vector<std::string> command{"du", "-skx"};
  command.insert(command.end(), details.mountPaths.begin(), details.mountPaths.end());
  auto measured = co_await async::attempt(runCommand(parts_, place_id, std::move(command), "", deadline.orAfter(kStorageTime)));
  if (!measured) co_return last;  // an image without du, or more files than can be read in time
  double gib = static_cast<double>(sumOfLines(measured->stdoutText)) / static_cast<double>(kMib);
  storage_[place_id] = {gib, now};
  co_return gib;
}

awaitable<ResourceUsage> UsageSampler::sample(PlaceId place_id, UsageDepth depth, Deadline deadline) {
  ContainerDetails details = co_await parts_.index.require(place_id, deadline);
  const ResourceConfig& resources = details.instance.resources;
  ResourceUsage usage;
  usage.cpu.limit = resources.cpu.limit;
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  if (details.runs()) {
    json::value first = co_await statistics(place_id, deadline);
    usage.memory.usage = memoryMib(first);
    usage.network = trafficOf(first);
    usage.cpu.usage = co_await cpuPercent(place_id, first, deadline);
  }
  usage.storage.usage = co_await storageGib(place_id, details, depth, deadline);
  co_return usage;
}

}  // namespace swarm::docker
