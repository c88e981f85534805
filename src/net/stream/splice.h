// Moving bytes between two sockets within the kernel, for bodies so large that copying them is what a request costs.
#pragma once

#include "net/stream/stream.h"

namespace swarm::net {

/// Smaller transfers are copied: a pipe and two more system calls would cost more than they save.
inline constexpr std::uint64_t kSpliceBytes = 64 * 1024;

/// Bytes taken from one end and bytes delivered to the other; at most one of the two has an error.
struct Spliced {
  IoResult read;
  IoResult written;
  bool failed() const { return read.error || written.error; }
};

/// Moves `count` bytes from `from` to `to` without copying them through this process. Back pressure, deadlines, close() and cancellation
/// work as with readSome() and writeAll(); at most one pipe's content is in flight. Moves nothing, without an error, where splicing is
/// impossible or not worthwhile: an end that is not a bare socket (TLS, in memory, bytes read ahead), less than kSpliceBytes, no
/// descriptors left. The caller then copies. After an error, bytes that were read but not written are lost.
awaitable<Spliced> splice(Stream& from, Stream& to, std::uint64_t count);

/// Maximum number of pipes in the process (default 512); beyond it bytes are copied. Thread-safe.
void setMaxPipes(int maximum);

}  // namespace swarm::net
