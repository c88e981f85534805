// Transfers: the agent's end of moves. At most one session that sends and one that receives, on connections that the server opens.
#pragma once

#include <optional>
#include <string>

#include "agent/hold.h"
#include "net/http_server.h"
#include "net/notifier.h"
#include "transfer/hash_cache.h"
#include "transfer/session.h"

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
  /// Of the one session of a role. The newest turn has it, once the one before has got up.
  struct Seat {
    std::uint64_t turn = 0;
    bool taken = false;
    net::Notifier changed;
  };
  class Sitting;

  std::optional<std::string> objection(transfer::Role role, std::string_view transfer) const;
  static std::uint64_t callNext(Seat& seat);  ///< whoever sits gets up; whose turn it is now
  static awaitable<void> vacate(Seat& seat);
  Seat& seatOf(transfer::Role role) { return role == transfer::Role::Source ? sending_ : receiving_; }

  const Hold& hold_;
  std::filesystem::path root_;
  std::optional<std::string> refusal_;
  transfer::HashCache hashes_;
  Seat sending_;
  Seat receiving_;
};

}  // namespace swarm::agent
