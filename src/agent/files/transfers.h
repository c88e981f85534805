// Transfers: the agent's end of moves. At most one session that sends and one that receives, on connections that the server opens.
#pragma once

#include <optional>
#include <string>

#include "agent/workspace/hold.h"
#include "async/lock/semaphore.h"
#include "async/notifier.h"
#include "net/http/http_server.h"
#include "transfer/hash/hash_cache.h"
#include "transfer/rounds/session.h"

namespace swarm::agent {

/// On one loop. Outlives its sessions, as the Hold does.
class Transfers {
 public:
  /// `root`: prefix of all storage paths; "/" except in tests.
  explicit Transfers(const Hold& hold, std::filesystem::path root = "/") : hold_(hold), root_(std::move(root)) {}

  /// The storage is unusable: every session is refused with this sentence.
  void refuse(std::string reason) { refusal_ = std::move(reason); }

  /// Handles GET /transfer/send and /transfer/receive. Ends an older session of the same role first.
  awaitable<void> handle(transfer::Role role, net::Exchange& exchange);
  /// Both return when no such session is left.
  awaitable<void> endReceiving();
  awaitable<void> endAll();

 private:
  /// The single session slot of a role. The newest ticket gets it, once the session before has ended.
  struct SessionSlot {
    std::uint64_t ticket = 0;
    async::Notifier superseded;
    async::Semaphore free{1};
  };

  std::optional<std::string> objection(transfer::Role role, std::string_view transfer) const;
  static std::uint64_t supersede(SessionSlot& slot);  ///< makes the current session end; returns the new ticket
  static awaitable<void> untilSuperseded(SessionSlot& slot, std::uint64_t ticket);
  static awaitable<void> vacate(SessionSlot& slot);
  SessionSlot& slotOf(transfer::Role role) { return role == transfer::Role::Source ? sending_ : receiving_; }

  const Hold& hold_;
  std::filesystem::path root_;
  std::optional<std::string> refusal_;
  transfer::HashCache hashes_;
  SessionSlot sending_;
  SessionSlot receiving_;
};

}  // namespace swarm::agent
