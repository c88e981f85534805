// Internal: the server's side of a pair of connections. Reads from both agents, relays frames between them, keeps those for the server.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "async/notifier.h"
#include "base/error.h"
#include "net/stream/stream.h"
#include "transfer/wire/frame_stream.h"
#include "transfer/wire/link.h"
#include "transfer/wire/messages.h"

namespace swarm::transfer {

struct Peer {
  net::StreamPtr stream;
  std::optional<std::string> result;  ///< to the current command
  TransferProgress progress;
  std::deque<std::vector<ManifestLine>> lines;
  bool ended = false;  ///< its connection ended after Bye: no further responses
};

/// Shared with the reading coroutines, which may briefly outlive the Link.
struct Relay {
  explicit Relay(LinkOptions its_options) : options(its_options) {}

  LinkOptions options;
  std::array<Peer, 2> peers;  ///< indexed by Side
  async::Notifier changed;
  std::optional<Error> failure;
  bool relaying = false;
  bool closing = false;      ///< Bye was sent: the end of a connection is now expected
  std::int64_t relayed = 0;  ///< bytes relayed from source to target in this round
  ProgressSink sink;         ///< of the current command
  SteadyTime free_at{};      ///< when the bandwidth limit admits the next bytes

  const char* name(std::size_t peer) const { return peer == 0 ? "source" : "target"; }
  /// Only the first failure counts; ends both connections.
  void fail(Error error);
  void shut();
  void reportProgress();
};

/// Runs until the connection of that peer ends; then the relay has failed.
awaitable<void> listenTo(std::shared_ptr<Relay> relay, std::size_t peer);

/// Sends a command and waits for its response. Throws the relay's failure.
awaitable<void> sendCommand(Relay& relay, std::size_t peer, Kind kind, std::string payload);
awaitable<std::string> awaitResult(Relay& relay, std::size_t peer);
/// Waits for the next lines of a manifest, or for its end (empty).
awaitable<std::vector<ManifestLine>> nextLines(Relay& relay, std::size_t peer);

/// After unequal digests: reads both manifests, which must have been requested, to their ends.
awaitable<std::vector<Note>> compareManifests(Relay& relay, const Scope& scope, std::size_t maximum);

}  // namespace swarm::transfer
