// Usage: measured use of resources, and the result of a command.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>

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
struct ResourceUsage {
  CpuUsage cpu;
  SizeUsage memory;
  SizeUsage storage;
};
BOOST_DESCRIBE_STRUCT(ResourceUsage, (), (cpu, memory, storage))

struct CommandResult {
  std::int64_t exitCode = 0;
  std::string stdoutText;  ///< JSON "stdout"
  std::string stderrText;  ///< JSON "stderr"
  bool truncated = false;  ///< output beyond the limit was dropped
};

}  // namespace swarm
