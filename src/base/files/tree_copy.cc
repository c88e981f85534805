// Works relative to open directories: paths are never too long, and symbolic links are never followed.
#include "base/files/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/files/descriptor.h"
#include "base/files/directory.h"

namespace swarm {
namespace {

namespace fs = std::filesystem;
using FileId = std::pair<dev_t, ino_t>;

[[noreturn]] void fail(const char* doing, const fs::path& path) {
  throw fs::filesystem_error(doing, path, std::error_code(errno, std::generic_category()));
}

Descriptor openDirectory(int at, const char* name) {
  return Descriptor(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::vector<std::string> namesIn(int directory, const fs::path& path) {
  try {
    return namesInDirectory(directory);
  } catch (const std::system_error& error) {
    errno = error.code().value();
    fail("could not read the directory", path);
  }
}

void copyAttributes(int from, int to, const fs::path& path) {
  ssize_t size = ::flistxattr(from, nullptr, 0);
  if (size <= 0) return;  // none, or a file system without attributes
  std::string names(static_cast<std::size_t>(size), '\0');
  size = ::flistxattr(from, names.data(), names.size());
  if (size < 0) fail("could not read the attributes of", path);
  names.resize(static_cast<std::size_t>(size));
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const char* name = names.c_str() + at;
    ssize_t length = ::fgetxattr(from, name, nullptr, 0);
    if (length < 0) continue;
    std::string value(static_cast<std::size_t>(length), '\0');
    length = ::fgetxattr(from, name, value.data(), value.size());
    if (length < 0) continue;
    // The system's own labels (SELinux) depend on the file's location, and a file system may not support the others.
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0) != 0 && errno != ENOTSUP && errno != EPERM) {
      fail("could not set an attribute of", path);
    }
  }
}

/// Owner first: changing it clears set-user-id bits and capabilities. Times last.
void copyFacts(int from, int to, const struct stat& facts, const fs::path& path) {
  if (::fchown(to, facts.st_uid, facts.st_gid) != 0) fail("could not change the owner of", path);
  copyAttributes(from, to, path);
  if (::fchmod(to, facts.st_mode & 07777) != 0) fail("could not set the mode of", path);
  std::array<timespec, 2> times{facts.st_atim, facts.st_mtim};
  if (::futimens(to, times.data()) != 0) fail("could not set the times of", path);
}

void copyRange(int from, int to, off_t begin, off_t end, const fs::path& path) {
  static thread_local std::vector<char> buffer(1 << 20);
  while (begin < end) {
    auto wanted = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - begin));
    ssize_t got = ::pread(from, buffer.data(), wanted, begin);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("could not read", path);
    if (got == 0) return;  // it was truncated during the copy
    for (ssize_t done = 0; done < got;) {
      ssize_t put = ::pwrite(to, buffer.data() + done, static_cast<std::size_t>(got - done), begin + done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("could not write", path);
      done += put;
    }
    begin += got;
  }
}

void copyContent(int from, int to, off_t size, const fs::path& path) {
  if (::ftruncate(to, size) != 0) fail("could not write", path);
  off_t at = 0;
  while (at < size) {
    off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return;  // only a hole remains
    if (data < 0) return copyRange(from, to, at, size, path);
    off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    copyRange(from, to, data, std::min(hole, size), path);
    at = hole;
  }
}

class TreeCopier {
 public:
  TreeCopier(dev_t device, int top) : device_(device), top_(top) {}

  void copyDirectory(int from, int to, const struct stat& facts, const fs::path& path) {
    if (facts.st_dev == device_) {
      for (const std::string& name : namesIn(from, path)) copyEntry(from, to, name, path / name);
    }
    copyFacts(from, to, facts, path.empty() ? "." : path);
  }

 private:
  void copyEntry(int from, int to, const std::string& name, const fs::path& path) {
    struct stat facts{};
    if (::fstatat(from, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      fail("could not examine", path);
    }
    if (S_ISDIR(facts.st_mode)) return copySubdirectory(from, to, name, facts, path);
    if (facts.st_nlink > 1) {
      auto [known, first] = links_.try_emplace({facts.st_dev, facts.st_ino}, path);
      if (!first) {
        if (::linkat(top_, known->second.c_str(), to, name.c_str(), 0) != 0) fail("could not link", path);
        return;
      }
    }
    if (S_ISREG(facts.st_mode)) return copyFile(from, to, name, facts, path);
    if (S_ISLNK(facts.st_mode)) return copyLink(from, to, name, facts, path);
    if (::mknodat(to, name.c_str(), facts.st_mode, facts.st_rdev) != 0) fail("could not create", path);
    if (::fchownat(to, name.c_str(), facts.st_uid, facts.st_gid, AT_SYMLINK_NOFOLLOW) != 0) fail("could not change the owner of", path);
    if (::fchmodat(to, name.c_str(), facts.st_mode & 07777, 0) != 0) fail("could not set the mode of", path);
    setTimes(to, name, facts, path);
  }

  void copySubdirectory(int from, int to, const std::string& name, const struct stat& facts, const fs::path& path) {
    Descriptor source = openDirectory(from, name.c_str());
    if (!source.valid()) {
      if (errno == ENOENT) return;
      fail("could not open", path);
    }
    if (::mkdirat(to, name.c_str(), 0700) != 0) fail("could not create", path);
    Descriptor target = openDirectory(to, name.c_str());
    if (!target.valid()) fail("could not open", path);
    copyDirectory(source.get(), target.get(), facts, path);
  }

  void copyFile(int from, int to, const std::string& name, const struct stat& facts, const fs::path& path) {
    Descriptor source(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!source.valid()) {
      links_.erase({facts.st_dev, facts.st_ino});
      if (errno == ENOENT) return;
      fail("could not read", path);
    }
    Descriptor target(::openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target.valid()) fail("could not create", path);
    copyContent(source.get(), target.get(), facts.st_size, path);
    copyFacts(source.get(), target.get(), facts, path);
  }

  void copyLink(int from, int to, const std::string& name, const struct stat& facts, const fs::path& path) {
    std::vector<char> text(65'536);
    ssize_t length = ::readlinkat(from, name.c_str(), text.data(), text.size() - 1);
    if (length < 0 && errno == ENOENT) return;
    if (length < 0) fail("could not read", path);
    text[static_cast<std::size_t>(length)] = '\0';
    if (::symlinkat(text.data(), to, name.c_str()) != 0) fail("could not create", path);
    if (::fchownat(to, name.c_str(), facts.st_uid, facts.st_gid, AT_SYMLINK_NOFOLLOW) != 0) fail("could not change the owner of", path);
    setTimes(to, name, facts, path);
  }

  static void setTimes(int to, const std::string& name, const struct stat& facts, const fs::path& path) {
    std::array<timespec, 2> times{facts.st_atim, facts.st_mtim};
    if (::utimensat(to, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) fail("could not set the times of", path);
  }

  dev_t device_;
  int top_;                           // of the copy; used to find hard links
  std::map<FileId, fs::path> links_;  // first name of each file that has several
};

void addUp(int directory, dev_t device, std::set<FileId>& seen, std::uint64_t& bytes) {
  std::vector<std::string> names;
  try {
    names = namesIn(directory, ".");
  } catch (const fs::filesystem_error&) {
    return;
  }
  for (const std::string& name : names) {
    struct stat facts{};
    if (::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 || facts.st_dev != device) continue;
    if (facts.st_nlink > 1 && !S_ISDIR(facts.st_mode) && !seen.insert({facts.st_dev, facts.st_ino}).second) continue;
    bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
    if (!S_ISDIR(facts.st_mode)) continue;
    Descriptor below = openDirectory(directory, name.c_str());
    if (below.valid()) addUp(below.get(), device, seen, bytes);
  }
}

}  // namespace

void copyTree(const fs::path& from, const fs::path& to) {
  Descriptor source(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source.valid()) fail("could not open", from);
  struct stat facts{};
  if (::fstat(source.get(), &facts) != 0) fail("could not examine", from);
  if (::mkdir(to.c_str(), 0700) != 0 && errno != EEXIST) fail("could not create", to);
  Descriptor target(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target.valid()) fail("could not open", to);
  TreeCopier(facts.st_dev, target.get()).copyDirectory(source.get(), target.get(), facts, {});
}

std::uint64_t occupiedBytes(const fs::path& top) {
  Descriptor directory(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat facts{};
  if (!directory.valid() || ::fstat(directory.get(), &facts) != 0) return 0;
  std::uint64_t bytes = 0;
  std::set<FileId> seen;
  addUp(directory.get(), facts.st_dev, seen, bytes);
  return bytes;
}

}  // namespace swarm
