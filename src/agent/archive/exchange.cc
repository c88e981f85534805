// Moves entries between open folders, one rename each; folders that contain another mount stay, and are entered.
#include "agent/archive/exchange.h"

#include <errno.h>
#include <fcntl.h>

#include "agent/archive/staging.h"
#include "base/error.h"

namespace swarm::agent {
namespace {

using transfer::failAt;
using transfer::Storage;

Descriptor openFolder(int at, const char* name, const std::string& shown) {
  Descriptor folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) failAt("open", shown, errno);
  return folder;
}

bool isFolder(int at, const std::string& name, struct stat& status) {
  return ::fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

void moveOutOf(const Storage& storage, int from, int to, const std::string& path, const Passed& passed) {
  for (const std::string& name : transfer::namesIn(from, storage.describe(path))) {
    const std::string its_path = transfer::join(path, name);
    struct stat status{};
    const bool folder = isFolder(from, name, status);
    if (path.empty() && (name == kStagingName || (folder && transfer::isLostAndFound(name, status)))) continue;
    if (storage.leftOut.contains(its_path)) continue;
    if (folder && isAboveMount(storage, its_path)) {
      if (::mkdirat(to, name.c_str(), 0700) != 0 && errno != EEXIST) failAt("create the directory", storage.describe(its_path), errno);
      moveOutOf(storage, openFolder(from, name.c_str(), storage.describe(its_path)).get(),
                openFolder(to, name.c_str(), storage.describe(its_path)).get(), its_path, passed);
    } else if (::renameat(from, name.c_str(), to, name.c_str()) != 0 && errno != EBUSY) {  // an unlisted mount stays
      failAt("move", storage.describe(its_path), errno);
    }
    passed();
  }
}

void copyFacts(int from, int to, const std::string& shown) {
  struct stat status{};
  if (::fstat(from, &status) != 0) failAt("examine", shown, errno);
  transfer::applyFacts(to, transfer::factsOf(status), transfer::readAttributes(from), shown);
}

void moveInto(const Storage& storage, int from, int to, const std::string& path, const Passed& passed) {
  struct stat before{};
  if (::fstat(from, &before) != 0) failAt("examine", storage.describe(path), errno);
  for (const std::string& name : transfer::namesIn(from, storage.describe(path))) {
    const std::string its_path = transfer::join(path, name);
    struct stat status{}, there{};
    // What remains is a mount, a folder above one, or the file system's own folder.
    if (storage.leftOut.contains(its_path) || its_path == kStagingName) continue;
    if (isFolder(from, name, status) && isFolder(to, name, there)) {
      const Descriptor source = openFolder(from, name.c_str(), storage.describe(its_path));
      moveInto(storage, source.get(), openFolder(to, name.c_str(), storage.describe(its_path)).get(), its_path, passed);
    } else if (::renameat(from, name.c_str(), to, name.c_str()) != 0 && errno != EBUSY) {  // an unlisted mount stays
      failAt("move", storage.describe(its_path), errno);
    }
    passed();
  }
  if (path.empty()) return;
  transfer::applyFacts(to, transfer::factsOf(before), transfer::readAttributes(from), storage.describe(path));
}

void remove(int at, const char* name, const std::string& shown) {
  if (::unlinkat(at, name, 0) != 0 && errno != ENOENT) failAt("remove", shown, errno);
}

void syncFolder(int folder, const std::string& shown) {
  if (::fsync(folder) != 0) failAt("write", shown, errno);
}

}  // namespace

bool isAboveMount(const Storage& storage, const std::string& path) {
  auto below = storage.leftOut.lower_bound(path + "/");
  return below != storage.leftOut.end() && below->starts_with(path + "/");
}

Descriptor openStaging(const Storage& storage) {
  Descriptor staging(::openat(storage.top.get(), std::string(kStagingName).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  const bool ours = staging.valid() && ::fstat(staging.get(), &status) == 0 && status.st_uid == ::geteuid() &&
                    (status.st_mode & 07777) == 0700 && status.st_dev == storage.device;
  return ours ? std::move(staging) : Descriptor();
}

std::string stagedText(int staging, const char* name) {
  constexpr std::size_t longest = 256 * 1024;
  const Descriptor file(::openat(staging, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return {};
  std::string text(longest, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

void writeStaged(int staging, const char* name, std::string_view text) {
  const std::string partial = std::string(name) + ".partial";
  const Descriptor file(::openat(staging, partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) failAt("create the file", partial, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) failAt("write", partial, ENOSPC);
  syncFolder(file.get(), partial);
  if (::renameat(staging, partial.c_str(), staging, name) != 0) failAt("write", name, errno);
  syncFolder(staging, name);
}

void moveOut(const Storage& storage, int staging, const Passed& passed) {
  if (!stagedText(staging, kStagedEmptied).empty()) return;
  const Descriptor old = openFolder(staging, kStagedOld, storage.describe(kStagingName, kStagedOld));
  moveOutOf(storage, storage.top.get(), old.get(), {}, passed);
  if (::syncfs(storage.top.get()) != 0) failAt("write to the disk of", storage.describe({}), errno);
  writeStaged(staging, kStagedEmptied, "yes\n");
}

void moveIn(const Storage& storage, int staging, const Passed& passed) {
  const Descriptor fresh = openFolder(staging, kStagedNew, storage.describe(kStagingName, kStagedNew));
  moveInto(storage, fresh.get(), storage.top.get(), {}, passed);
  const Descriptor top = openFolder(staging, kStagedTop, storage.describe(kStagingName, kStagedTop));
  copyFacts(top.get(), storage.top.get(), storage.describe({}));
  if (::syncfs(storage.top.get()) != 0) failAt("write to the disk of", storage.describe({}), errno);
}

void removeStaging(const Storage& storage, const Passed& passed) {
  // It does not contain other mounts, so their names have no meaning here.
  Storage alone;
  alone.mountPath = storage.mountPath;
  alone.top = Descriptor(::openat(storage.top.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  alone.device = storage.device;
  const std::string shown = storage.describe(kStagingName);
  const Descriptor staging = openStaging(storage);
  struct stat before{};
  if (!staging.valid() || ::fstat(storage.top.get(), &before) != 0) failAt("examine", shown, errno);
  // From here on, a crash leaves only data to be removed, whatever was decided: none of it is needed any more.
  remove(staging.get(), kStagedCommitted, shown);
  syncFolder(staging.get(), shown);
  passed();
  const transfer::StopFlag never;
  std::int64_t removed = 0;
  for (const char* folder : {kStagedNew, kStagedTop, kStagedOld}) {
    struct stat status{};
    if (isFolder(staging.get(), folder, status))
      transfer::removeTree(alone, staging.get(), std::string(kStagingName), folder, never, removed);
    passed();
  }
  // The plan is removed last: it identifies the rest as ours.
  for (const std::string& name : transfer::namesIn(staging.get(), shown)) {
    if (name != kStagedPlan) remove(staging.get(), name.c_str(), shown);
    passed();
  }
  remove(staging.get(), kStagedPlan, shown);
  passed();
  if (::unlinkat(storage.top.get(), std::string(kStagingName).c_str(), AT_REMOVEDIR) != 0) failAt("remove", shown, errno);
  // After a failed import, the storage looks as it did before.
  transfer::applyFacts(storage.top.get(), transfer::factsOf(before), transfer::readAttributes(storage.top.get()), storage.describe({}));
}

void removeUnplanned(const Storage& storage, int staging) {
  ::unlinkat(staging, (std::string(kStagedPlan) + ".partial").c_str(), 0);
  ::unlinkat(storage.top.get(), std::string(kStagingName).c_str(), AT_REMOVEDIR);
}

}  // namespace swarm::agent
