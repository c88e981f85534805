// Opens storages, and walks them in canonical order.
#include "transfer/tree/storages.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::transfer {
namespace {

std::string normal(std::string_view path) {
  std::string text = std::filesystem::path(path).lexically_normal().native();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

/// `path` relative to `mount`, or empty when it is not strictly below.
std::string below(const std::string& mount, const std::string& path) {
  const std::string prefix = mount == "/" ? mount : mount + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string();
}

struct ScannedLevel {
  std::string path;
  std::vector<std::string> names;
  std::size_t next = 0;
};

/// False when the directory is unreadable; the visitor was notified.
bool show(const std::vector<Storage>& storages, std::size_t storage, ScannedLevel& level, Visitor& visitor, const StopFlag& stop) {
  const Descriptor directory = openBelow(storages[storage].top.get(), level.path);
  struct stat status{};
  if (!directory.valid() || ::fstat(directory.get(), &status) != 0) {
    visitor.unreadable(storage, level.path, errno);
    return false;
  }
  // Another file system was mounted here after the name was examined.
  if (status.st_dev != storages[storage].device) return false;
  std::vector<std::string> names;
  try {
    names = namesIn(directory.get());
  } catch (const std::system_error& error) {
    visitor.unreadable(storage, level.path, error.code().value());
    return false;
  }
  const VisitedDirectory visited{storage, level.path, directory.get(), status};
  visitor.enter(visited);
  for (std::string& name : names) {
    stop.check();
    const Sight sight = examine(storages[storage], directory.get(), level.path, name);
    if (visitor.entry(visited, name, sight)) level.names.push_back(std::move(name));
  }
  visitor.leave();
  return true;
}

}  // namespace

std::vector<Storage> openStorages(const Scope& scope, const std::filesystem::path& root) {
  std::set<std::string> mounts;
  for (const std::string& path : scope.storages) {
    if (!path.starts_with('/')) throw Error(ErrorCode::Unprocessable, format("The storage path \"{}\" is not absolute.", readable(path)));
    mounts.insert(normal(path));
  }
  std::set<std::string> others = mounts;
  for (const std::string& path : scope.excluded) others.insert(normal(path));
  std::vector<Storage> storages;
  for (const std::string& mount : mounts) {
    Storage storage;
    storage.mountPath = mount;
    const std::filesystem::path place = root / mount.substr(1);
    storage.top = Descriptor(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status{};
    if (!storage.top.valid() || ::fstat(storage.top.get(), &status) != 0) failAt("open the storage", readable(mount), errno);
    storage.device = status.st_dev;
    for (const std::string& other : others) {
      if (std::string path = below(mount, other); !path.empty()) storage.leftOut.insert(std::move(path));
    }
    storages.push_back(std::move(storage));
  }
  return storages;
}

std::string join(const std::string& directory, const std::string& name) { return directory.empty() ? name : directory + "/" + name; }

Sight examine(const Storage& storage, int directory, const std::string& path, const std::string& name) {
  Sight sight;
  if (!storage.leftOut.empty() && storage.leftOut.contains(join(path, name))) {
    sight.kind = Sight::Kind::LeftOut;
    return sight;
  }
  if (::fstatat(directory, name.c_str(), &sight.status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (isVanished(errno)) return sight;
    sight.error = errno;
    sight.kind = Sight::Kind::Skipped;
    sight.reason = "could not be examined";
    return sight;
  }
  if (path.empty() && (isLostAndFound(name, sight.status) || (storage.leavesLostAndFound && name == "lost+found"))) {
    sight.kind = Sight::Kind::FileSystems;
    sight.reason =
        isLostAndFound(name, sight.status) ? "the file system's own folder" : "left in place: the agent at one end is too old to move it";
    return sight;
  }
  const mode_t mode = sight.status.st_mode;
  sight.kind = Sight::Kind::Skipped;
  if (sight.status.st_dev != storage.device) {
    sight.reason = "another file system";
  } else if (isCarried(sight.status)) {
    sight.kind = Sight::Kind::Carried;
  } else {
    sight.reason = S_ISSOCK(mode) ? "socket" : S_ISFIFO(mode) ? "pipe" : S_ISCHR(mode) || S_ISBLK(mode) ? "device" : "unknown kind of file";
  }
  return sight;
}

bool isLostAndFound(std::string_view name, const struct stat& status) {
  // lost+found as mkfs creates it. A user's own folder belongs to that user, or has a mode that lets others read it.
  return name == "lost+found" && S_ISDIR(status.st_mode) && status.st_uid == 0 && (status.st_mode & 07777) == 0700;
}

void walk(const std::vector<Storage>& storages, Visitor& visitor, const StopFlag& stop) {
  for (std::size_t storage = 0; storage < storages.size(); ++storage) {
    std::vector<ScannedLevel> levels(1);
    if (!show(storages, storage, levels.back(), visitor, stop)) continue;
    while (!levels.empty()) {
      stop.check();
      ScannedLevel& level = levels.back();
      if (level.next == level.names.size()) {
        levels.pop_back();
        continue;
      }
      ScannedLevel below{join(level.path, level.names[level.next++]), {}};
      if (show(storages, storage, below, visitor, stop)) levels.push_back(std::move(below));
    }
  }
}

bool isVanished(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ESTALE; }

void Notes::add(std::string path, std::string reason) {
  const std::lock_guard lock(mutex_);
  if (count++ < 100) first.push_back({std::move(path), std::move(reason)});
}

}  // namespace swarm::transfer
