// Replaces a file as a whole: readers see the former content or the new one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace swarm::cli {

/// Writes a file beside `path` with `mode` and, as root, the owner of the former file, and renames it into place. Returns an errno; 0:
/// done.
int replaceFile(const std::filesystem::path& path, std::string_view text, mode_t mode);

}  // namespace swarm::cli
