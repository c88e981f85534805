// The names in a directory. Depends only on system calls, so that small static tools can use it, too.
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace swarm {

/// All but "." and "..", in any order; a name may occur twice while the directory changes. Reads all of them before it returns, so that
/// callers that descend need few descriptors. Throws std::system_error.
inline std::vector<std::string> namesInDirectory(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, decltype([](DIR* stream) { ::closedir(stream); })> stream(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!stream) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    throw std::system_error(error, std::generic_category());
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
    errno = 0;
  }
  if (errno != 0) throw std::system_error(errno, std::generic_category());
  return names;
}

}  // namespace swarm
