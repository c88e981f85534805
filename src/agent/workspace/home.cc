// Prepares homes and mount points.
#include "agent/workspace/home.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace fs = std::filesystem;
namespace {

bool isFresh(const fs::path& directory) {
  struct stat facts{};
  if (::lstat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) || facts.st_uid != 0) return false;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() != "lost+found") return false;
  }
  return !error;
}

void giveTo(const UserRecord& user, const fs::path& path) {
  if (::lchown(path.c_str(), user.uid, user.gid) != 0) {
    log::warning("could not change the owner", {{"path", path.string()}, {"user", user.name}, {"error", ::strerror(errno)}});
  }
}

/// Copies and changes owners entry by entry, so that existing entries keep their owners.
void seed(const UserRecord& user, const fs::path& skeleton) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(skeleton, error), end; !error && entry != end; entry.increment(error)) {
    fs::path target = fs::path(user.home) / entry->path().lexically_relative(skeleton);
    std::error_code failed;
    if (entry->is_symlink(failed)) {
      fs::copy_symlink(entry->path(), target, failed);
    } else if (entry->is_directory(failed)) {
      fs::create_directory(target, entry->path(), failed);
    } else {
      fs::copy_file(entry->path(), target, failed);
    }
    if (failed) {
      log::warning("could not copy into the new home", {{"path", target.string()}, {"error", failed.message()}});
    } else {
      giveTo(user, target);
    }
  }
}

}  // namespace

void prepareHome(const UserRecord& user, const fs::path& skeleton) {
  std::error_code error;
  bool missing = !fs::exists(user.home, error);
  if (missing && !fs::create_directories(user.home, error)) {
    log::error("could not create the home", {{"path", user.home}, {"error", error.message()}});
    return;
  }
  if (!missing && !isFresh(user.home)) {
    // A volume with files under a root-owned top: the files keep their owners, but a home must be writable by its user.
    struct stat facts{};
    if (::lstat(user.home.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == 0) giveTo(user, user.home);
    return;
  }
  seed(user, skeleton);
  ::chmod(user.home.c_str(), 0755);
  giveTo(user, user.home);
  log::info("created a new home", {{"path", user.home}, {"user", user.name}});
}

void prepareMounts(const UserRecord& user, const std::vector<fs::path>& mounts) {
  for (const auto& mount : mounts) {
    if (isFresh(mount)) giveTo(user, mount);
  }
}

void prepareSocketDirectory(const UserRecord& user, const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (::chmod(directory.c_str(), 0700) != 0 || (::geteuid() == 0 && ::chown(directory.c_str(), user.uid, user.gid) != 0)) {
    throw Error(ErrorCode::Internal, format("Cannot create the directory {}: {}.", directory.string(), ::strerror(errno)));
  }
}

}  // namespace swarm::agent
