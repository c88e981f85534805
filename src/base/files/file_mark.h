// FileMark: shows whether a file has changed since it was read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace swarm {

/// Identifies the content of a file; zeros: there is none.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds
  std::int64_t changed = 0;
  bool operator==(const FileMark&) const = default;
};
/// Take it before the file is read: then a later change makes a difference.
FileMark markOf(const std::filesystem::path& path);

}  // namespace swarm
