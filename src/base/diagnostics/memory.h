// The heap of a long-lived process: returns free memory to the system.
#pragma once

namespace swarm {

/// Call it once in main before other threads start. Uses few arenas, so that threads share free blocks, and gives large blocks their own
/// mappings, which are unmapped when freed.
void configureHeap();

/// Returns the free pages of all arenas to the system. Takes milliseconds, during which allocations block: call it when the process is
/// idle.
void releaseFreeMemory();

}  // namespace swarm
