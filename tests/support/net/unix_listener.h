// A listening unix socket; the program itself listens on TCP alone.
#pragma once

#include <filesystem>
#include <memory>

#include "net/connect.h"

namespace swarm::net {

/// `path` must not exist yet, and stays after close().
std::unique_ptr<Listener> listenUnix(Executor executor, const std::filesystem::path& path);

}  // namespace swarm::net
