// What an instance uses: CPU from two samples, memory without the page cache that can go, storage by du in its volumes.
#include <charconv>

#include "async/deadline.h"
#include "provider/docker/container/container_spec.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::milliseconds kShortestSpan{200};  ///< between two CPU samples
constexpr std::chrono::seconds kLongestSpan{120};        ///< an older sample says nothing about now
constexpr std::chrono::seconds kStorageMemory{60};       ///< du walks every file: once a minute is enough
constexpr std::chrono::seconds kStorageTime{5};          ///< and not for longer than this

double cpuNanoseconds(const json::value& statistics) {
  return static_cast<double>(integerAt(statistics, "cpu_stats.cpu_usage.total_usage"));
}

double memoryMib(const json::value& statistics) {
  // cgroup v1 calls it total_inactive_file, v2 inactive_file: cached file pages that go first when memory is short.
  std::int64_t usage = integerAt(statistics, "memory_stats.usage");
  std::int64_t inactive = integerAt(statistics, "memory_stats.stats.total_inactive_file");
  if (inactive == 0) inactive = integerAt(statistics, "memory_stats.stats.inactive_file");
  return static_cast<double>(std::max<std::int64_t>(0, usage - inactive)) / static_cast<double>(kMib);
}

}  // namespace

awaitable<json::value> DockerProvider::statistics(std::string instance_id, Deadline deadline) {
  const std::string doing = "tell what the container uses";
  EngineReply reply =
      co_await sendToInstance(instance_id, {.target = "/stats?stream=false&one-shot=true", .doing = doing, .body = {}}, deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  co_return std::move(reply).json(doing);
}

awaitable<double> DockerProvider::cpuPercent(std::string instance_id, const json::value& first, Deadline deadline) {
  std::string container = stringAt(first, "id");
  CpuSample now{cpuNanoseconds(first), readTime(stringAt(first, "read"))};
  CpuSample before = now;
  auto known = cpu_samples_.find(container);
  bool usable = known != cpu_samples_.end() && now.at - known->second.at >= kShortestSpan && now.at - known->second.at <= kLongestSpan &&
                known->second.nanoseconds <= now.nanoseconds;
  if (usable) {
    before = known->second;
  } else {
    co_await async::sleepFor(kShortestSpan);
    json::value second = co_await statistics(std::move(instance_id), deadline);
    now = {cpuNanoseconds(second), readTime(stringAt(second, "read"))};
  }
  cpu_samples_[container] = now;
  double span = static_cast<double>(std::chrono::nanoseconds(now.at - before.at).count());
  co_return span > 0 ? std::max(0.0, (now.nanoseconds - before.nanoseconds) / span * 100) : 0;
}

awaitable<double> DockerProvider::storageGib(std::string instance_id, const ContainerDetails& details, Deadline deadline) {
  auto known = storage_samples_.find(instance_id);
  double last = known == storage_samples_.end() ? 0 : known->second.gib;
  auto now = std::chrono::steady_clock::now();
  if (known != storage_samples_.end() && now - known->second.at < kStorageMemory) co_return last;
  if (details.mountPaths.empty() || !details.runs()) co_return last;
  storage_samples_[instance_id] = {last, now};  // a du that fails or takes too long is not tried again at once
  std::vector<std::string> command{"du", "-skx"};
  command.insert(command.end(), details.mountPaths.begin(), details.mountPaths.end());
  std::uint64_t kib = 0;
  try {
    CommandResult result = co_await executeIn(instance_id, std::move(command), "", deadline.orAfter(kStorageTime));
    std::size_t at = 0;
    while (at < result.stdoutText.size()) {  // "1234\t/home/coder" per line
      std::uint64_t size = 0;                // the image's own du says it: anything may stand there
      std::from_chars(result.stdoutText.data() + at, result.stdoutText.data() + result.stdoutText.size(), size);
      kib += size;
      std::size_t end = result.stdoutText.find('\n', at);
      at = end == std::string::npos ? result.stdoutText.size() : end + 1;
    }
  } catch (const Error&) {
    co_return last;  // an image without du, or more files than can be walked in time
  }
  double gib = static_cast<double>(kib) / static_cast<double>(kMib);
  storage_samples_[instance_id] = {gib, now};
  co_return gib;
}

awaitable<ResourceUsage> DockerProvider::getResourceUsage(std::string instance_id, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  const ResourceConfig& resources = details.instance.resources;
  ResourceUsage usage;
  usage.cpu.limit = resources.cpu.limit;
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  if (details.runs()) {
    json::value first = co_await statistics(instance_id, deadline);
    usage.memory.usage = memoryMib(first);
    usage.cpu.usage = co_await cpuPercent(instance_id, first, deadline);
  }
  usage.storage.usage = co_await storageGib(instance_id, details, deadline);
  co_return usage;
}

}  // namespace swarm::docker
