// An agent's end of a move: executes the server's commands on one connection until it ends.
#pragma once

#include <filesystem>

#include "async/awaitable.h"
#include "net/stream/stream.h"

namespace swarm::transfer {

using async::awaitable;

class HashCache;  ///< hash_cache.h: known hashes of file contents, kept by the agent between sessions

enum class Role { Source, Target };

struct SessionOptions {
  Role role = Role::Source;
  HashCache* hashes = nullptr;  ///< must outlive the session; never null
  /// Storage paths in the server's Hello are resolved below it: "/" in an agent, a temporary directory in tests.
  std::filesystem::path root = "/";
};

/// Runs until the connection ends, the server sends Bye, or it is cancelled; its threads have ended when it returns. Works on threads of
/// its own; the calling loop only moves bytes. Does not throw when the connection is lost.
awaitable<void> runSession(net::StreamPtr stream, SessionOptions options);

}  // namespace swarm::transfer
