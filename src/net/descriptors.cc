// The division, and the soft limit of the process.
#include "net/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace swarm::net {
namespace {

constexpr std::size_t kEnough = 1U << 20U;
constexpr std::size_t kMaxReserved = 4096;
constexpr std::size_t kMaxConnections = 20'000;
constexpr std::size_t kMaxPipes = 512;
// A browser with several workspaces open holds dozens of connections, all from one address.
constexpr std::size_t kAlwaysPerAddress = 256;
constexpr std::size_t kMaxPerAddress = 4096;

}  // namespace

DescriptorPlan planDescriptors(std::size_t limit) {
  limit = std::min(limit, kEnough);
  const std::size_t reserved = std::min(limit / 4, kMaxReserved);
  const std::size_t for_clients = limit - reserved;
  DescriptorPlan plan{};
  plan.pipes = std::min(for_clients / 32, kMaxPipes);
  // Per connection: its own descriptor, one to an instance, and a quarter of a pooled one.
  plan.connections = std::min((for_clients - 2 * plan.pipes) * 4 / 9, kMaxConnections);
  plan.idleUpstreams = plan.connections / 4;
  plan.perAddress = std::min(std::clamp(plan.connections / 4, kAlwaysPerAddress, kMaxPerAddress), plan.connections);
  return plan;
}

std::size_t raiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace swarm::net
