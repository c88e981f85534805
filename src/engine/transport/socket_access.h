// Who may use an Engine's endpoint, by the files of this machine: why this process may not, and which others may, too.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/transport/endpoint.h"

namespace swarm::engine {

struct SocketTrouble {
  std::string detail;      ///< sentences: the reason, and what to do
  bool forbidden = false;  ///< it is there, and will not be ours without a change of permissions
};
/// Why this process cannot use the socket. Nothing: its file allows it.
std::optional<SocketTrouble> socketTrouble(const std::filesystem::path& socket);

/// Who else controls the Engine, and with it the machine, as a sentence with what to do. Empty: only those whom Docker means to.
std::string exposureOf(const Endpoint& endpoint);

}  // namespace swarm::engine
