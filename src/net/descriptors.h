// How the descriptors that a process may open are divided, so that clients never take those of the store, the providers and the agents.
#pragma once

#include <cstddef>

namespace swarm::net {

struct DescriptorPlan {
  std::size_t connections;    ///< of clients; each may need another one to an instance, which is accounted for
  std::size_t perAddress;     ///< of these, of one client address
  std::size_t idleUpstreams;  ///< kept connections to instances
  std::size_t pipes;          ///< of splice(); two descriptors each
};

/// `limit`: the process's own (RLIMIT_NOFILE). A quarter of it, 4,096 at most, is left for everything that is not a client's.
DescriptorPlan planDescriptors(std::size_t limit);

/// Raises the soft limit to the hard one; gives the limit that is in effect.
std::size_t raiseDescriptorLimit();

}  // namespace swarm::net
