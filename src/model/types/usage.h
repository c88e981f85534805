// Usage: measured use of resources, now and over time, and the result of a command.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/types/ids.h"
#include "model/types/provider_type.h"

namespace swarm {

struct CpuUsage {
  double usage = 0;        ///< percent of one core, 0 … cores × 100
  std::int64_t limit = 0;  ///< millicores
};
BOOST_DESCRIBE_STRUCT(CpuUsage, (), (usage, limit))
struct SizeUsage {
  double usage = 0;  ///< memory: MiB; storage: GiB
  double limit = 0;
};
BOOST_DESCRIBE_STRUCT(SizeUsage, (), (usage, limit))
struct TrafficUsage {
  double received = 0;  ///< bytes since the container or Machine was started
  double sent = 0;
};
BOOST_DESCRIBE_STRUCT(TrafficUsage, (), (received, sent))
struct TrafficRate {
  double received = 0;  ///< bytes per second
  double sent = 0;
};
BOOST_DESCRIBE_STRUCT(TrafficRate, (), (received, sent))
struct ResourceUsage {
  CpuUsage cpu;
  SizeUsage memory;
  SizeUsage storage;
  TrafficUsage network{};
};
BOOST_DESCRIBE_STRUCT(ResourceUsage, (), (cpu, memory, storage, network))

/// What an instance used in the `step` seconds that begin at `at`: means of the samples in it, and the highest of them.
struct UsagePoint {
  SystemTime at{};
  double cpu = 0;     ///< percent of one core
  double memory = 0;  ///< MiB
  double cpuMax = 0;
  double memoryMax = 0;
  double storage = 0;  ///< GiB, the last sample
  TrafficRate network{};
};
BOOST_DESCRIBE_STRUCT(UsagePoint, (), (at, cpu, memory, cpuMax, memoryMax, storage, network))

struct UsageHistory {
  SystemTime from{};
  SystemTime to{};
  std::int64_t step = 0;             ///< seconds
  std::vector<UsagePoint> points{};  ///< from the oldest; a time without a sample has none
};
BOOST_DESCRIBE_STRUCT(UsageHistory, (), (from, to, step, points))

/// The last sample of a running instance.
struct InstanceUsage {
  InstanceId instanceId{};
  std::string name{};
  std::string owner{};
  ProviderType provider{};
  SystemTime at{};
  CpuUsage cpu{};
  SizeUsage memory{};
  SizeUsage storage{};
  TrafficRate network{};
  std::vector<double> recentCpu{};  ///< percent of one core in the last samples, from the oldest
};
BOOST_DESCRIBE_STRUCT(InstanceUsage, (), (instanceId, name, owner, provider, at, cpu, memory, storage, network, recentCpu))

/// `history`, when it was requested; the other members are then those of the last sample, and 0 without one.
struct UsageResponse : ResourceUsage {
  std::optional<UsageHistory> history{};
};
BOOST_DESCRIBE_STRUCT(UsageResponse, (ResourceUsage), (history))

struct CommandResult {
  std::int64_t exitCode = 0;
  std::string stdoutText;  ///< JSON "stdout"
  std::string stderrText;  ///< JSON "stderr"
  bool truncated = false;  ///< output beyond the limit was dropped
};

}  // namespace swarm
