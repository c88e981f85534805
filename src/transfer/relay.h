// Internal: the server's side of one connection pair. Listens to both agents, passes on what is between them, keeps what is for us.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "base/error.h"
#include "net/notifier.h"
#include "net/stream.h"
#include "transfer/frame_stream.h"
#include "transfer/link.h"
#include "transfer/messages.h"

namespace swarm::transfer {

struct Peer {
  net::StreamPtr stream;
  std::optional<std::string> answer;  ///< to the command of the moment
  TransferProgress progress;
  std::deque<std::vector<ManifestLine>> lines;
  bool ended = false;  ///< its connection, after Bye was said: it answers nothing any more
};

/// Shared with the listening coroutines, which may outlive the Link for a moment.
struct Relay {
  explicit Relay(LinkOptions its_options) : options(its_options) {}

  LinkOptions options;
  std::array<Peer, 2> peers;  ///< indexed by Side
  net::Notifier changed;
  std::optional<Error> failure;
  bool relaying = false;
  bool closing = false;      ///< Bye was said: a connection that ends now ends in good order
  std::int64_t relayed = 0;  ///< bytes that went from source to target in this round
  ProgressSink sink;         ///< of the command of the moment
  SteadyTime free_at{};      ///< when the bandwidth limit lets the next bytes through

  Peer& peer(Side side) { return peers[side == Side::Source ? 0 : 1]; }
  const char* name(std::size_t peer) const { return peer == 0 ? "source" : "target"; }
  /// The first failure counts; ends both connections.
  void fail(Error error);
  void shut();
  void tellProgress();
};

/// Until the connection of that peer ends; then the relay has failed.
awaitable<void> listenTo(std::shared_ptr<Relay> relay, std::size_t peer);

/// Sends a command and waits for its answer. Throws the relay's failure.
awaitable<void> sendCommand(Relay& relay, std::size_t peer, Kind kind, std::string payload);
awaitable<std::string> awaitAnswer(Relay& relay, std::size_t peer);
/// Waits for the next lines of a manifest, or for its end (empty).
awaitable<std::vector<ManifestLine>> nextLines(Relay& relay, std::size_t peer);

/// After unequal digests: reads both manifests, which must have been asked for, to their ends.
awaitable<std::vector<Note>> compareManifests(Relay& relay, const Scope& scope, std::size_t most);

}  // namespace swarm::transfer
