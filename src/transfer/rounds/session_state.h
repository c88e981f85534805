// Internal: state shared by the parts of one session.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "transfer/rounds/session.h"
#include "transfer/tree/content.h"
#include "transfer/wire/channel.h"

namespace swarm::transfer {

/// Progress of the current command; read by the loop.
struct Counters {
  std::atomic<std::int64_t> files = 0;
  std::atomic<std::int64_t> bytes = 0;
  void reset() { files = bytes = 0; }
};

struct SessionState {
  SessionState(std::shared_ptr<LoopWake> wake, SessionOptions its_options) : options(std::move(its_options)), outbox(std::move(wake)) {}

  SessionOptions options;
  std::vector<Storage> storages;
  bool greeted = false;     ///< the server has sent the list of storages
  std::uint64_t other = 1;  ///< the protocol features of the agent at the other end
  bool otherUnderstandsRuns() const { return other >= 2; }
  StopFlag stop;
  BufferPool buffers;
  Inbox inbox;
  Outbox outbox;
  Counters counters;

  /// Stops all threads of the session, asynchronously.
  void abort() {
    stop.stop();
    inbox.close();
    outbox.refuse();
  }
};

/// Runs both to their ends, the second on a thread of its own; when one throws, the whole session is aborted. Rethrows the first exception
/// other than Stopped.
void runBoth(SessionState& session, const std::function<void()>& here, const std::function<void()>& beside);

/// The commands that need more than a line.
RoundReport runSourceRound(SessionState& session, RoundKind kind);
RoundReport runTargetRound(SessionState& session);
DigestReport runDigest(SessionState& session, bool held);
void runManifest(SessionState& session, bool held);

}  // namespace swarm::transfer
