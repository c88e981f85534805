// copyTree(): a faithful copy of a directory. Needs nothing but the system, so that small static tools can be made of it, too.
#pragma once

#include <cstdint>
#include <filesystem>

namespace swarm::agent {

/// Copies all below `from` into the directory `to`, which must be missing or empty. Kept, of each file and of the top itself: owner, mode,
/// times, extended attributes (ACLs and capabilities are such; of symbolic links they are not), hard links within the tree, holes, symbolic
/// links, devices, pipes and sockets. Stays on one file system: what is mounted below `from` becomes an empty directory. A file that
/// vanishes meanwhile is left out. Throws std::filesystem::filesystem_error with the path.
void copyTree(const std::filesystem::path& from, const std::filesystem::path& to);

/// Bytes that the files below `top` occupy, hard links counted once, on its file system only. What vanishes or can't be read is left out.
std::uint64_t occupiedBytes(const std::filesystem::path& top);

}  // namespace swarm::agent
