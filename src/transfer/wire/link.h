// Link: the server's side of a move. Connects the sessions of two agents, sends the commands and counts the bytes that pass.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "net/stream/stream.h"

namespace swarm::transfer {

using async::awaitable;

/// What to move: the mount paths of persistent storage. `excluded`: other mount paths, which are left out where they lie inside.
struct Scope {
  std::vector<std::string> storages;
  std::vector<std::string> excluded;
};

/// A path that was left out or failed; made printable (no control characters, valid UTF-8).
struct Note {
  std::string path;
  std::string reason;  ///< a short phrase: "socket", "vanished", "could not be read: Permission denied"
};

struct ScanReport {
  std::int64_t files = 0;  ///< everything but directories
  std::int64_t directories = 0;
  std::int64_t bytes = 0;     ///< content to be sent: without holes and further hard links
  std::vector<Note> skipped;  ///< the first 100
  std::int64_t skippedCount = 0;
  struct Space {
    std::string mountPath;
    std::int64_t total = 0;  ///< bytes of the file system
    std::int64_t free = 0;   ///< bytes available for writing
  };
  std::vector<Space> space;
};

/// Progress of a command. During a round: what the target has written and acknowledged, and what the source has examined.
struct TransferProgress {
  std::int64_t filesDone = 0;  ///< files compared and, where needed, sent
  std::int64_t bytesDone = 0;  ///< content of those files, whether or not it had to be sent
  std::int64_t bytesSent = 0;  ///< bytes transferred, after compression
};
using ProgressSink = std::function<void(const TransferProgress&)>;

struct RoundReport {
  std::int64_t files = 0;      ///< files in the source's tree
  std::int64_t bytes = 0;      ///< their content
  std::int64_t filesSent = 0;  ///< files of which content had to be sent
  std::int64_t bytesSent = 0;  ///< after compression
  std::int64_t deleted = 0;    ///< entries removed at the target
  std::int64_t unstable = 0;   ///< files that changed while they were read: another round must read them again
  std::vector<Note> skipped;   ///< the first 100
  std::int64_t skippedCount = 0;
};

struct DigestReport {
  std::string digest;  ///< hexadecimal
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

enum class Side { Source, Target };
/// Live: the source is in use, and unreadable files are reported. Final: the source is frozen; an unreadable file is an error.
enum class RoundKind { Live, Final };

struct LinkOptions {
  std::int64_t bytesPerSecond = 0;  ///< limit on the transfer rate; 0: unlimited
  /// Without a byte from an agent, or accepted by it, for this long, the link counts as lost (a working agent sends something every 10 s,
  /// and always reads).
  std::chrono::milliseconds silence{30'000};
};

/// On one loop, that of its streams. One command at a time. Every call throws Error(Unavailable) when a connection is lost or silent:
/// create a new link then and repeat the command; what had arrived is not sent again. Error(OutOfResources): the target is full.
/// Error(Unprocessable): something cannot be transferred (names the path). Cancelling a call ends the link.
class Link {
 public:
  virtual ~Link() = default;
  virtual awaitable<ScanReport> scan(Side side, ProgressSink progress) = 0;
  /// Makes the target's storages equal to the source's.
  virtual awaitable<RoundReport> round(RoundKind kind, ProgressSink progress) = 0;
  virtual awaitable<DigestReport> digest(Side side, ProgressSink progress) = 0;
  /// Both concurrently.
  virtual awaitable<std::pair<DigestReport, DigestReport>> digests(ProgressSink progress) = 0;
  /// Everything at the target is on disk when this returns.
  virtual awaitable<void> sync(Side side) = 0;
  /// After unequal digests: the first paths that differ, and how.
  virtual awaitable<std::vector<Note>> differences(std::size_t maximum) = 0;
  /// Ends both sessions cleanly.
  virtual awaitable<void> close() = 0;
};

/// Sends Hello to both sides. Either stream may be null for a link to one agent only (scan, digest, sync of that side).
awaitable<std::unique_ptr<Link>> openLink(net::StreamPtr source, net::StreamPtr target, std::string transfer_id, Scope scope,
                                          LinkOptions options = {});

}  // namespace swarm::transfer
