// An agent's end of a move: serves the server's commands on one connection until it ends.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "net/stream.h"

namespace swarm::transfer {

using net::awaitable;

class HashCache;  ///< hash_cache.h: what is known of files' contents, kept by the agent from one session to the next

enum class Role { Source, Target };

struct SessionOptions {
  Role role = Role::Source;
  HashCache* hashes = nullptr;  ///< must outlive the session; never null
  /// Storage paths of the server's Hello are looked up below it: "/" in an agent, a temporary directory in tests.
  std::filesystem::path root = "/";
};

/// Runs until the connection ends, the server says Bye, or it is cancelled; then its threads have ended. Works on threads of its own; the
/// calling loop only moves bytes. Throws nothing for a cut connection.
awaitable<void> runSession(net::StreamPtr stream, SessionOptions options);

}  // namespace swarm::transfer
