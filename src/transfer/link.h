// Link: the server's side of a move. Joins the sessions of two agents, gives the commands, counts what passes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/stream.h"

namespace swarm::transfer {

using net::awaitable;

/// What moves: the mount paths of persistent storage. `excluded`: other mount paths, which are left out where they lie inside.
struct Scope {
  std::vector<std::string> storages;
  std::vector<std::string> excluded;
};

/// Something that was left out or went wrong for one path; the path is made readable (no control characters, valid UTF-8).
struct Note {
  std::string path;
  std::string reason;  ///< a short phrase: "socket", "vanished", "could not be read: Permission denied"
};

struct ScanReport {
  std::int64_t files = 0;  ///< everything but directories
  std::int64_t directories = 0;
  std::int64_t bytes = 0;     ///< content that would be sent: holes and further hard links are not counted
  std::vector<Note> skipped;  ///< the first 100
  std::int64_t skippedCount = 0;
  struct Space {
    std::string mountPath;
    std::int64_t total = 0;  ///< bytes of the file system
    std::int64_t free = 0;   ///< bytes that can be written
  };
  std::vector<Space> space;
};

/// How far a command has come. During a round: what the target has written and acknowledged, and what the source has looked at.
struct TransferProgress {
  std::int64_t filesDone = 0;  ///< files compared and, where needed, sent
  std::int64_t bytesDone = 0;  ///< content of those files, whether or not it had to be sent
  std::int64_t bytesSent = 0;  ///< bytes that travelled, as they travelled (compressed)
};
using ProgressSink = std::function<void(const TransferProgress&)>;

struct RoundReport {
  std::int64_t files = 0;      ///< files in the source's tree
  std::int64_t bytes = 0;      ///< their content
  std::int64_t filesSent = 0;  ///< files of which content had to be sent
  std::int64_t bytesSent = 0;  ///< as they travelled
  std::int64_t deleted = 0;    ///< entries removed at the target
  std::int64_t unstable = 0;   ///< files that changed while they were read: another round has to look at them again
  std::vector<Note> skipped;   ///< the first 100
  std::int64_t skippedCount = 0;
};

struct DigestReport {
  std::string digest;  ///< hexadecimal
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

enum class Side { Source, Target };
/// Live: the source is in use, and what can't be read is reported. Final: it is held; a file that can't be read is an error.
enum class RoundKind { Live, Final };

struct LinkOptions {
  std::int64_t bytesPerSecond = 0;  ///< limit on what travels; 0: none
  /// Without a byte from an agent for this long the link counts as cut (agents say something every 10 s while they work).
  std::chrono::milliseconds silence{60'000};
};

/// On one loop, that of its streams. One command at a time. Every call throws Error(Unavailable) when a connection is cut or silent: make a
/// new link then, and give the command again; what had arrived is not sent again. Error(OutOfResources): the target is full.
/// Error(Unprocessable): something can't be carried (names the path). Cancelling a call ends the link.
class Link {
 public:
  virtual ~Link() = default;
  virtual awaitable<ScanReport> scan(Side side, ProgressSink progress) = 0;
  /// Makes the target's storages equal to the source's.
  virtual awaitable<RoundReport> round(RoundKind kind, ProgressSink progress) = 0;
  virtual awaitable<DigestReport> digest(Side side, ProgressSink progress) = 0;
  /// Both at the same time.
  virtual awaitable<std::pair<DigestReport, DigestReport>> digests(ProgressSink progress) = 0;
  /// Everything at the target is on disk when this returns.
  virtual awaitable<void> sync(Side side) = 0;
  /// After unequal digests: the first paths that differ, and how.
  virtual awaitable<std::vector<Note>> differences(std::size_t most) = 0;
  /// Ends both sessions in good order.
  virtual awaitable<void> close() = 0;
};

/// Says hello to both sides. Either stream may be null for a link to one agent only (scan, digest, sync of that side).
awaitable<std::unique_ptr<Link>> openLink(net::StreamPtr source, net::StreamPtr target, std::string transfer_id, Scope scope,
                                          LinkOptions options = {});

}  // namespace swarm::transfer
