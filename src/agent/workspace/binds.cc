// Fills new storage and mounts it.
#include "agent/workspace/binds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/diagnostics/log.h"
#include "base/files/descriptor.h"
#include "base/files/tree_copy.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {

namespace fs = std::filesystem;

/// Why storage cannot be bound, as a sentence.
struct BindFailure {
  std::string reason;
};

[[noreturn]] void fail(const StorageBind& bind, std::string_view what, int error) {
  throw BindFailure{
      format("The storage {} could not be mounted at {}: {}: {}.", bind.from.string(), bind.to.string(), what, ::strerror(error))};
}

/// `call`: fsync or, for a whole file system, syncfs, which is faster than an fsync for each of thousands of small files.
void sync(const StorageBind& bind, const fs::path& directory, int (*call)(int)) {
  Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || call(fd.get()) != 0) fail(bind, "it could not be written to disk", errno);
}

bool isInside(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

void fill(const StorageBind& bind) {
  std::error_code error;
  fs::path parent = bind.from.parent_path();
  fs::create_directories(parent, error);
  if (error) fail(bind, "its folder could not be created", error.value());
  fs::path unfinished = parent / format(".{}.filling", bind.from.filename().string());
  fs::remove_all(unfinished, error);  // left by an interrupted start
  // If the bind covers the volume itself, the volume hides the image's content there; and a copy of it would recurse into itself.
  bool visible = fs::is_directory(bind.to, error) && !isInside(bind.from, bind.to);
  if (visible) {
    copyTree(bind.to, unfinished);
  } else if (::mkdir(unfinished.c_str(), 0755) != 0) {
    fail(bind, "it could not be created", errno);
  }
  sync(bind, unfinished, ::syncfs);
  if (::rename(unfinished.c_str(), bind.from.c_str()) != 0) fail(bind, "it could not be renamed", errno);
  sync(bind, parent, ::fsync);
  log::info("filled new storage", {{"storage", bind.from.string()}, {"from", bind.to.string()}});
}

Descriptor openStorage(const StorageBind& bind) {
  struct stat facts{};
  if (::lstat(bind.from.c_str(), &facts) != 0) {
    if (errno != ENOENT) fail(bind, "it could not be examined", errno);
    fill(bind);
  }
  Descriptor fd(::open(bind.from.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) fail(bind, "it is not a directory, or cannot be opened", errno);
  return fd;
}

bool isBound(int directory, const fs::path& to) {
  struct stat source{}, target{};
  return ::fstat(directory, &source) == 0 && ::stat(to.c_str(), &target) == 0 && source.st_dev == target.st_dev &&
         source.st_ino == target.st_ino;
}

void bindOne(const StorageBind& bind, int directory, const BindMount& mount) {
  if (isBound(directory, bind.to)) return;
  std::error_code error;
  fs::create_directories(bind.to, error);
  if (error) fail(bind, "the mount point could not be created", error.value());
  if (int number = mount(directory, bind.to); number != 0) {
    fail(bind, number == EPERM || number == EACCES ? "mounting is not allowed (it needs CAP_SYS_ADMIN)" : "mounting failed", number);
  }
  log::info("bound storage", {{"storage", bind.from.string()}, {"at", bind.to.string()}});
}

std::ptrdiff_t depth(const StorageBind& bind) { return std::distance(bind.to.begin(), bind.to.end()); }

}  // namespace

int bindMount(int directory, const fs::path& to) {
  return ::mount(format("/proc/self/fd/{}", directory).c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0 ? 0 : errno;
}

std::optional<std::string> bindStorage(std::vector<StorageBind> binds, const BindMount& mount) {
  std::ranges::sort(binds, {}, depth);
  try {
    // Held open: an outer bind may hide the path to the source of an inner one.
    std::vector<Descriptor> directories;
    for (const StorageBind& bind : binds) directories.push_back(openStorage(bind));
    for (std::size_t i = 0; i < binds.size(); ++i) bindOne(binds[i], directories[i].get(), mount);
  } catch (const BindFailure& failure) {
    log::error("failed to bind storage", {{"reason", failure.reason}});
    return failure.reason;
  } catch (const fs::filesystem_error& error) {
    std::string reason = format("New storage could not be filled: {}: {}.", error.path1().string(), error.code().message());
    log::error("failed to bind storage", {{"reason", reason}});
    return reason;
  }
  return std::nullopt;
}

}  // namespace swarm::agent
