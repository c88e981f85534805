// Moving bytes between two sockets within the kernel, for bodies so large that copying them is what a request costs.
#pragma once

#include "net/stream.h"

namespace swarm::net {

/// Less than this is copied: a pipe and two more system calls would cost what they save.
inline constexpr std::uint64_t kSpliceBytes = 64 * 1024;

/// What was taken from the one end and what the other was given; at most one of the two has an error.
struct Spliced {
  IoResult read;
  IoResult written;
  bool failed() const { return read.error || written.error; }
};

/// Moves `count` bytes from `from` to `to` without taking them through this process. Back pressure, deadlines, close() and cancellation as
/// with readSome() and writeAll(); never more than a pipe's content is under way. Moves nothing, without an error, where that can't be done
/// or doesn't pay: an end that is no bare socket (TLS, in memory, bytes read ahead), less than kSpliceBytes, no descriptors left. The
/// caller then copies. After an error, what was read and not written is lost.
awaitable<Spliced> splice(Stream& from, Stream& to, std::uint64_t count);

/// Pipes that the process may hold at a time (512 unless set); beyond it bytes are copied. Thread-safe.
void setMaxPipes(int most);

}  // namespace swarm::net
