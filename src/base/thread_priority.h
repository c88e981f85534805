// The priority of threads whose work can wait.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace swarm {

/// For work that a client waits for: beside busy threads it gets a tenth of a core.
inline constexpr int kNiceOfLaterWork = 10;
/// For work in spare time.
inline constexpr int kNiceOfSpareTime = 19;

/// Sets the nice value of this thread: on Linux it does not belong to the process.
inline void setNiceOfThread(int nice) { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), nice); }

}  // namespace swarm
