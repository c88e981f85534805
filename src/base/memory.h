// The heap of a long-lived process: what is free goes back to the system.
#pragma once

#include <cstddef>

namespace swarm {

/// Call it once in main before other threads start. Few arenas, so that free pieces are shared by threads; large blocks of their own
/// mappings, which end with them.
void configureHeap();

/// Gives the free pages of all arenas back. Takes milliseconds, during which threads that allocate wait: for quiet moments.
void releaseFreeMemory();

/// Bytes that the process holds in memory now.
std::size_t residentBytes();

}  // namespace swarm
