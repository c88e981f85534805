// Several mount paths on one volume: a Fly Machine can mount only one volume, and each storage of an instance is a directory in it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace swarm::agent {

/// Makes the directory `from`, on a volume, visible at `to`. Absolute paths without "." and "..".
struct StorageBind {
  std::filesystem::path from;
  std::filesystem::path to;
};

/// Makes the open directory visible at an existing path; returns the errno value, 0 on success.
using BindMount = std::function<int(int directory, const std::filesystem::path& to)>;
int bindMount(int directory, const std::filesystem::path& to);  ///< the system call; needs CAP_SYS_ADMIN

/// To be called as root, before anything else uses the paths. A missing `from` is created: filled with the image's content at `to` (owners
/// and modes kept), complete and on disk before it gets its name, so that a crash leaves nothing half filled. All are filled before the
/// first is bound; then outer ones are bound before inner ones. Existing binds stay. Returns a sentence with the reason on failure: the
/// storage must not be used then, or users would lose what they write.
std::optional<std::string> bindStorage(std::vector<StorageBind> binds, const BindMount& mount = bindMount);

}  // namespace swarm::agent
