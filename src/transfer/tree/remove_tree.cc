// Removes what the source does not have.
#include <errno.h>
#include <fcntl.h>

#include "transfer/rounds/target_round.h"

namespace swarm::transfer {
namespace {

struct RemovedLevel {
  std::string path;  ///< below the storage
  std::string name;
  std::vector<std::string> directories;
  bool keeps = false;
};

class Remover {
 public:
  Remover(const Storage& storage, const StopFlag& stop, std::int64_t& deleted) : storage_(storage), stop_(stop), deleted_(deleted) {}

  /// Removes the contents of a directory except its subdirectories, and returns their names.
  RemovedLevel clear(const std::string& path, const std::string& name) {
    RemovedLevel level{path, name, {}};
    const Descriptor directory = openTargetDirectory(storage_, path);
    for (std::string& entry : namesIn(directory.get(), storage_.describe(path))) {
      stop_.check();
      const Sight sight = examine(storage_, directory.get(), path, entry);
      if (sight.kind == Sight::Kind::Vanished) continue;
      if (sight.kind == Sight::Kind::LeftOut || sight.kind == Sight::Kind::FileSystems || sight.status.st_dev != storage_.device) {
        level.keeps = true;
      } else if (S_ISDIR(sight.status.st_mode)) {
        level.directories.push_back(std::move(entry));
      } else {
        if (::unlinkat(directory.get(), entry.c_str(), 0) != 0) failAt("remove", storage_.describe(path, entry), errno);
        ++deleted_;
      }
    }
    return level;
  }

  /// False when the directory could not be removed.
  bool removeDirectory(int parent, const RemovedLevel& level) {
    if (level.keeps) return false;
    if (::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR) != 0) {
      if (errno == EBUSY) return false;  // a mount point
      failAt("remove the directory", storage_.describe(level.path), errno);
    }
    ++deleted_;
    return true;
  }

 private:
  const Storage& storage_;
  const StopFlag& stop_;
  std::int64_t& deleted_;
};

}  // namespace

bool removeTree(const Storage& storage, int directory, const std::string& path, const std::string& name, const StopFlag& stop,
                std::int64_t& deleted) {
  Remover remover(storage, stop, deleted);
  std::vector<RemovedLevel> levels;
  levels.push_back(remover.clear(join(path, name), name));
  for (;;) {
    RemovedLevel& level = levels.back();
    if (!level.directories.empty()) {
      const std::string below = std::move(level.directories.back());
      level.directories.pop_back();
      levels.push_back(remover.clear(join(level.path, below), below));
      continue;
    }
    if (levels.size() == 1) return remover.removeDirectory(directory, level);
    const RemovedLevel done = std::move(level);
    levels.pop_back();
    const Descriptor parent = openTargetDirectory(storage, levels.back().path);
    if (!remover.removeDirectory(parent.get(), done)) levels.back().keeps = true;
  }
}

Descriptor openTargetDirectory(const Storage& storage, const std::string& path) {
  Descriptor directory = openBelow(storage.top.get(), path);
  if (!directory.valid() && errno == EACCES && ::geteuid() != 0) {
    // Not the superuser, and a mode that denies access to the owner. The final mode is set at the end.
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? std::string() : path.substr(0, slash);
    const Descriptor parent = openTargetDirectory(storage, above);
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (::fchmodat(parent.get(), name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0) directory = openBelow(storage.top.get(), path);
  }
  if (!directory.valid()) failAt("open the directory", storage.describe(path), errno);
  struct stat status{};
  if (::fstat(directory.get(), &status) != 0) failAt("examine", storage.describe(path), errno);
  if (status.st_dev != storage.device) failAt("enter the file system mounted at", storage.describe(path), EXDEV);
  if (::geteuid() != 0 && (status.st_mode & 0700) != 0700 && ::fchmod(directory.get(), status.st_mode | 0700) != 0) {
    failAt("set the mode of", storage.describe(path), errno);
  }
  return directory;
}

Descriptor openTargetFile(int directory, const std::string& name, int access) {
  const int flags = access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Descriptor file(::openat(directory, name.c_str(), flags));
  if (!file.valid() && errno == EACCES && ::geteuid() != 0 && ::fchmodat(directory, name.c_str(), 0600, 0) == 0) {
    file = Descriptor(::openat(directory, name.c_str(), flags));
  }
  return file;
}

}  // namespace swarm::transfer
