// copyTree(): a faithful copy of a directory. Depends only on system calls, so that small static tools can use it, too.
#pragma once

#include <cstdint>
#include <filesystem>

namespace swarm {

/// Copies everything below `from` into the directory `to`, which must be missing or empty. Preserves, for each file and the top itself:
/// owner, mode, times, extended attributes (including ACLs and capabilities; not for symbolic links), hard links within the tree, holes,
/// symbolic links, devices, pipes and sockets. Stays on one file system: a mount point below `from` becomes an empty directory. A file that
/// vanishes during the copy is left out. Throws std::filesystem::filesystem_error with the path.
void copyTree(const std::filesystem::path& from, const std::filesystem::path& to);

/// Bytes that the files below `top` occupy, hard links counted once, on its file system only. Vanished and unreadable files are left out.
std::uint64_t occupiedBytes(const std::filesystem::path& top);

}  // namespace swarm
