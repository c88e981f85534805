// Internal: what the parts of one session share.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>

#include "transfer/channel.h"
#include "transfer/content.h"
#include "transfer/session.h"

namespace swarm::transfer {

/// How far the command of the moment has come; read by the loop.
struct Counters {
  std::atomic<std::int64_t> files = 0;
  std::atomic<std::int64_t> bytes = 0;
  void reset() { files = bytes = 0; }
};

struct Core {
  Core(std::shared_ptr<LoopWake> wake, SessionOptions its_options) : options(std::move(its_options)), outbox(std::move(wake)) {}

  SessionOptions options;
  std::vector<Storage> storages;
  bool greeted = false;     ///< the server named the storages
  std::uint64_t other = 1;  ///< what the agent at the other end understands
  bool otherUnderstandsRuns() const { return other >= 2; }
  StopFlag stop;
  BufferPool buffers;
  Inbox inbox;
  Outbox outbox;
  Counters counters;

  /// Ends every thread of the session, soon.
  void abort() {
    stop.stop();
    inbox.close();
    outbox.refuse();
  }
};

/// Runs both, the second on a thread of its own, to their ends; when one throws the whole session is aborted. Rethrows what was thrown
/// first that is not Stopped.
void runBoth(Core& core, const std::function<void()>& here, const std::function<void()>& beside);

std::vector<int> topsOf(const std::vector<Storage>& storages);

/// The commands that take more than a line.
RoundReport runSourceRound(Core& core, RoundKind kind);
RoundReport runTargetRound(Core& core);
DigestReport runDigest(Core& core, bool held);
void runManifest(Core& core, bool held);

}  // namespace swarm::transfer
