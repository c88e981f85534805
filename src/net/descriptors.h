// How the process's descriptors are divided, so that clients never use up those of the store, the providers and the agents.
#pragma once

#include <cstddef>

namespace swarm::net {

struct DescriptorPlan {
  std::size_t connections;    ///< of clients; each may need a second one to an instance, which is included in the division
  std::size_t perAddress;     ///< of these, per client address
  std::size_t idleUpstreams;  ///< pooled connections to instances
  std::size_t pipes;          ///< for splice(); two descriptors each
};

/// `limit`: the process's own (RLIMIT_NOFILE). A quarter of it, at most 4,096, is reserved for everything other than clients.
DescriptorPlan planDescriptors(std::size_t limit);

/// Raises the soft limit to the hard one; returns the resulting limit.
std::size_t raiseDescriptorLimit();

}  // namespace swarm::net
