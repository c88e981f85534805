// All processes in the instance except the agent, and their termination. Where another process is process 1 (a Fly Machine has an init of
// its own), all descendants of the agent, orphans included.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "base/clock.h"

namespace swarm::agent {

/// Their ids, as /proc shows them at this moment.
std::vector<pid_t> otherProcesses();

void signalAll(int number);

/// Sends SIGTERM, or SIGHUP to processes that ignore SIGTERM, as interactive shells do. Never both: a process that is cleaning up after one
/// would be killed by the other.
void requestTermination();

/// Whether any process is left, including zombies. Race-free: one system call covers all processes.
bool isAnyProcessLeft();

/// For messages: "cp (41), make (57)"; at most five of those that count.
std::string namesOfRemainingProcesses(bool (*counts)(pid_t) = [](pid_t) { return true; });

/// Sends the first signal; after `patience`, or as soon as all remaining processes ignore both signals, sends SIGKILL until none is left.
/// False: at the deadline a process remained (one that hangs in the kernel cannot be killed). The caller must ensure that processes are
/// reaped.
async::awaitable<bool> terminateAll(std::chrono::milliseconds patience, Deadline deadline);

}  // namespace swarm::agent
