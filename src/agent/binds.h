// Several places on one volume: a Machine of Fly's may mount one volume only, and each storage of an instance is a directory in it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace swarm::agent {

/// The directory `from`, on a volume, is to be seen at `to`. Absolute paths without "." and "..".
struct StorageBind {
  std::filesystem::path from;
  std::filesystem::path to;
};

/// Makes the open directory visible at a path that exists; the errno value, 0 for success.
using BindMount = std::function<int(int directory, const std::filesystem::path& to)>;
int bindMount(int directory, const std::filesystem::path& to);  ///< the system's own; needs CAP_SYS_ADMIN

/// As root, before anything else uses the paths. A `from` that is missing is made: filled with what the image has at `to` (owners and modes
/// kept), complete and on disk before it gets its name, so that a crash leaves nothing half filled. All are filled before the first is
/// bound; then outer ones come before inner ones. What is bound already stays. A sentence that says why, when something can't be done:
/// the storage must not be used then, or what people write would be lost.
std::optional<std::string> bindStorage(std::vector<StorageBind> binds, const BindMount& mount = bindMount);

}  // namespace swarm::agent
