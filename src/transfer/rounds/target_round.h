// Internal: the target's half of a round. One thread creates directories and names and requests content; another writes it.
#pragma once

#include <memory>

#include "transfer/rounds/in_flight.h"
#include "transfer/rounds/session_state.h"

namespace swarm::transfer {

/// A requested file whose content has not completely arrived.
struct PendingFile {
  std::size_t storage = 0;
  std::shared_ptr<const std::string> directory;
  std::string name;
  Attributes attributes;
  std::size_t cost = 0;  ///< bytes of its signature
};

/// The file of an index in a unit.
using FileKey = std::pair<std::uint64_t, std::uint64_t>;

struct TargetState {
  explicit TargetState(SessionState& its_session);
  SessionState& session;
  Trust trust;
  InFlight<FileKey, PendingFile> pending;  ///< added before the request is sent
  std::atomic<bool> listed = false;        ///< RoundEnd has arrived
  std::int64_t deleted = 0;
};

/// Opens a regular file of the target; makes it accessible if its owner may not use it. Invalid with errno when it cannot be opened.
Descriptor openTargetFile(int directory, const std::string& name, int access);

/// Applies listings until the end of the round.
void listTarget(TargetState& state);

}  // namespace swarm::transfer
