// Internal: the source's half of a round. One thread walks and lists, another reads and sends what the target requests.
#pragma once

#include <memory>

#include "transfer/rounds/in_flight.h"
#include "transfer/rounds/session_state.h"

namespace swarm::transfer {

/// A listing that was sent and not yet answered completely.
struct ListedUnit {
  struct Item {
    std::string name;
    std::int64_t bytes = 0;  ///< size of the content, for progress
    bool file = false;       ///< a regular file with content: may be requested
  };
  std::size_t storage = 0;
  std::shared_ptr<const std::string> path;
  std::vector<Item> items;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::size_t cost = 0;
};

/// State shared by both threads of the source.
struct SourceState {
  SourceState(SessionState& its_session, RoundKind its_kind);
  SessionState& session;
  RoundKind kind;
  Trust trust;
  InFlight<std::uint64_t, ListedUnit> window;
  Notes notes;
  /// Handles an unreadable entry: a note in a Live round, an error in a Final one.
  void unreadable(const std::string& shown, int error);

  std::int64_t files = 0;                  ///< in the tree
  std::int64_t bytes = 0;                  ///< their content
  std::atomic<bool> listed = false;        ///< the walk is complete
  std::atomic<std::int64_t> unstable = 0;  ///< entries that changed or vanished during the round
};

/// Walks and sends listings.
void listSource(SourceState& state);

}  // namespace swarm::transfer
