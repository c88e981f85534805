// What the kernel still does for this process, so that a client that has taken it over gains little.
#pragma once

namespace swarm::ssh {

/// No dump of its memory, no gain of privileges, no other processes, no written files, and little memory.
void limitResources();
/// From now on, a system call that a connection does not need kills the process: it opens no files and no sockets, starts no programs and
/// sends no signals. False: the kernel does not support it. In a build with sanitizers, which need more, it does nothing.
bool confineSystemCalls();

}  // namespace swarm::ssh
