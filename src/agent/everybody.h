// Everybody: all processes in the instance but the agent, and their end. Where another process is the first one (a Machine of Fly's has
// an init of its own), everything that came from the agent, orphans included.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"

namespace swarm::agent {

/// Their ids, as /proc shows them at this moment.
std::vector<pid_t> everybodyElse();

std::string nameOf(pid_t pid);  ///< empty: there is no such process

void signalEverybody(int number);

/// SIGTERM; SIGHUP to those who ignore that, as shells on a terminal do. Not both: who tidies up at the one would die of the other.
void askEverybodyToEnd();

/// Whether a process is left, be it one that has ended and was not waited for. Without a race: the kernel is asked for all at once.
bool isAnybodyLeft();

/// For a person: "cp (41), make (57)"; at most five.
std::string namesOfThoseLeft();

/// Asks; after `patience`, or once only such are left as ignore both signals, SIGKILL until nobody is left. False: at the deadline somebody
/// still was (a process that hangs in the kernel can't be killed). Somebody must reap meanwhile.
net::awaitable<bool> endEverybody(std::chrono::milliseconds patience, Deadline deadline);

}  // namespace swarm::agent
