// Reading directories, attributes and links; setting facts.
#include "transfer/tree/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <system_error>

#include "base/error.h"
#include "base/files/directory.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"
#include "transfer/wire/messages.h"

namespace swarm::transfer {
namespace {

/// Paths for the *xattr calls that take no directory: a path below an open directory, whose last component is not followed.
std::string procPath(int directory, const std::string& name) { return "/proc/self/fd/" + std::to_string(directory) + "/" + name; }

template <typename List, typename Get>
Attributes collectAttributes(List list, Get get) {
  Attributes attributes;
  ssize_t size = list(nullptr, 0);
  if (size == 0 || (size < 0 && (errno == ENOTSUP || errno == ENOENT || errno == ENOTDIR))) return attributes;
  std::string names;
  do {
    if (size < 0) throw std::system_error(errno, std::generic_category());
    names.assign(static_cast<std::size_t>(size) + 256, '\0');
    size = list(names.data(), names.size());
  } while (size < 0 && errno == ERANGE && (size = list(nullptr, 0)) >= 0);
  if (size < 0) throw std::system_error(errno, std::generic_category());
  names.resize(static_cast<std::size_t>(size));
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    Attribute attribute{names.c_str() + at, {}};
    if (!isCarriedAttribute(attribute.name)) continue;
    attribute.value.resize(XATTR_SIZE_MAX);
    const ssize_t length = get(attribute.name.c_str(), attribute.value.data(), attribute.value.size());
    if (length < 0 && (errno == ENODATA || errno == ENOENT)) continue;
    if (length < 0) throw std::system_error(errno, std::generic_category());
    attribute.value.resize(static_cast<std::size_t>(length));
    attribute.value.shrink_to_fit();
    attributes.push_back(std::move(attribute));
  }
  std::ranges::sort(attributes, {}, &Attribute::name);
  return attributes;
}

void applyAttributes(int file, const Attributes& wanted, const std::string& path) {
  Attributes present;
  try {
    present = readAttributes(file);
  } catch (const std::system_error& error) {
    failAt("read the attributes of", path, error.code().value());
  }
  if (present == wanted) return;
  for (const Attribute& attribute : present) {
    if (std::ranges::find(wanted, attribute.name, &Attribute::name) != wanted.end()) continue;
    if (::fremovexattr(file, attribute.name.c_str()) != 0 && errno != ENODATA) failAt("remove an attribute of", path, errno);
  }
  for (const Attribute& attribute : wanted) {
    if (std::ranges::find(present, attribute) != present.end()) continue;
    if (::fsetxattr(file, attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) != 0) {
      failAt(format("set the attribute {} of", readable(attribute.name)).c_str(), path, errno);
    }
  }
}

std::atomic<bool> has_openat2 = true;

/// The longest prefix of a path that one call accepts.
std::string_view nextPiece(std::string_view path) {
  constexpr std::size_t kMax = 3000;
  if (!has_openat2) return path.substr(0, path.find('/'));
  if (path.size() <= kMax) return path;
  const std::size_t slash = path.rfind('/', kMax);
  return path.substr(0, slash);
}

/// openat() that follows no symbolic link in any component.
int openPiece(int directory, const std::string& path, int flags) {
  if (has_openat2) {
    const open_how how{.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags)), .mode = 0, .resolve = RESOLVE_NO_SYMLINKS};
    const long fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
    // An old kernel, or a seccomp filter without this call.
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
    has_openat2 = false;
  }
  if (path.contains('/')) return openBelow(directory, path, flags).release();
  return ::openat(directory, path.c_str(), flags);
}

std::array<timespec, 2> timesOf(const Facts& facts) {
  return {timespec{0, UTIME_OMIT}, timespec{static_cast<time_t>(facts.mtimeSeconds), static_cast<long>(facts.mtimeNanoseconds)}};
}

}  // namespace

std::string readable(std::string_view path) {
  std::string text;
  while (!path.empty()) {
    const Utf8Character character = firstCharacter(path);
    const std::size_t bytes = std::max<std::size_t>(character.bytes, 1);
    if (character.bytes > 0 && isPrintable(character.code)) {
      text += path.substr(0, bytes);
    } else {
      for (const char byte : path.substr(0, bytes)) text += format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    path.remove_prefix(bytes);
  }
  constexpr std::size_t kMax = 1000;
  if (text.size() > kMax) {
    std::size_t cut = text.size() - kMax;
    while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) ++cut;
    text = "…" + text.substr(cut);
  }
  return text;
}

std::string describePath(std::string_view mount, std::string_view directory, std::string_view name) {
  std::string path(mount);
  for (std::string_view part : {directory, name}) {
    if (part.empty()) continue;
    if (!path.ends_with('/')) path += '/';
    path += part;
  }
  return readable(path);
}

void failAt(const char* doing, const std::string& path, int error) {
  constexpr std::array full{ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE};
  constexpr std::array refused{EACCES, EPERM,  ENOTSUP, EROFS, E2BIG, EFBIG,   ENAMETOOLONG, EILSEQ,
                               EINVAL, ERANGE, EMLINK,  EXDEV, EBUSY, ETXTBSY, EOVERFLOW};
  const ErrorCode code = std::ranges::find(full, error) != full.end()         ? ErrorCode::OutOfResources
                         : std::ranges::find(refused, error) != refused.end() ? ErrorCode::Unprocessable
                                                                              : ErrorCode::UpstreamFailed;
  throw Error(code, format("Could not {} \"{}\": {}.", doing, path, std::generic_category().message(error)));
}

Descriptor openBelow(int top, std::string_view path, int flags) {
  const int mode = (flags ? flags : O_RDONLY) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  constexpr int kOnTheWay = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Descriptor current(::openat(top, ".", path.empty() ? mode : kOnTheWay));
  while (current.valid() && !path.empty()) {
    const std::string_view piece = nextPiece(path);
    path.remove_prefix(std::min(path.size(), piece.size() + 1));
    current = Descriptor(openPiece(current.get(), std::string(piece), path.empty() ? mode : kOnTheWay));
  }
  return current;
}

std::vector<std::string> namesIn(int directory) {
  std::vector<std::string> names = namesInDirectory(directory);
  // std::string compares as unsigned bytes.
  std::ranges::sort(names);
  // readdir() may return a name twice while the directory changes.
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::vector<std::string> namesIn(int directory, const std::string& shown) {
  try {
    return namesIn(directory);
  } catch (const std::system_error& error) {
    failAt("read the directory", shown, error.code().value());
  }
}

Facts factsOf(const struct stat& status) {
  Facts facts;
  facts.mode = status.st_mode & 07777;
  facts.uid = status.st_uid;
  facts.gid = status.st_gid;
  facts.size = S_ISREG(status.st_mode) ? status.st_size : 0;
  facts.mtimeSeconds = status.st_mtim.tv_sec;
  facts.mtimeNanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  return facts;
}

EntryType typeOf(const struct stat& status) {
  return S_ISDIR(status.st_mode) ? EntryType::Directory : S_ISLNK(status.st_mode) ? EntryType::Symlink : EntryType::Regular;
}

bool isCarried(const struct stat& status) { return S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode) || S_ISREG(status.st_mode); }

Attributes readAttributes(int directory, const std::string& name) {
  if (name.empty()) return readAttributes(directory);
  const std::string path = procPath(directory, name);
  return collectAttributes(
      [&](char* out, std::size_t size) { return ::llistxattr(path.c_str(), out, size); },
      [&](const char* attribute, char* out, std::size_t size) { return ::lgetxattr(path.c_str(), attribute, out, size); });
}

Attributes readAttributes(int file) {
  return collectAttributes([&](char* out, std::size_t size) { return ::flistxattr(file, out, size); },
                           [&](const char* attribute, char* out, std::size_t size) { return ::fgetxattr(file, attribute, out, size); });
}

std::string readLink(int directory, const std::string& name) {
  std::string text(65'536, '\0');
  const ssize_t length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
  text.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  text.shrink_to_fit();
  return text;
}

void applyFacts(int file, const Facts& facts, const Attributes& attributes, const std::string& path) {
  struct stat now{};
  if (::fstat(file, &now) != 0) failAt("examine", path, errno);
  // Owner first: changing it clears set-user-id bits and capabilities. An access list changes the mode, and so comes before it. Times last.
  if ((now.st_uid != facts.uid || now.st_gid != facts.gid) && ::fchown(file, facts.uid, facts.gid) != 0) {
    failAt("give away", path, errno);
  }
  applyAttributes(file, attributes, path);
  if (::fstat(file, &now) != 0) failAt("examine", path, errno);
  if ((now.st_mode & 07777) != facts.mode && ::fchmod(file, facts.mode) != 0) failAt("set the mode of", path, errno);
  if (now.st_mtim.tv_sec != facts.mtimeSeconds || now.st_mtim.tv_nsec != facts.mtimeNanoseconds) {
    if (::futimens(file, timesOf(facts).data()) != 0) failAt("set the times of", path, errno);
  }
}

void applyLinkFacts(int directory, const std::string& name, const Facts& facts, const std::string& path) {
  struct stat now{};
  if (::fstatat(directory, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) failAt("examine", path, errno);
  if ((now.st_uid != facts.uid || now.st_gid != facts.gid) &&
      ::fchownat(directory, name.c_str(), facts.uid, facts.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    failAt("give away", path, errno);
  }
  if (now.st_mtim.tv_sec != facts.mtimeSeconds || now.st_mtim.tv_nsec != facts.mtimeNanoseconds) {
    if (::utimensat(directory, name.c_str(), timesOf(facts).data(), AT_SYMLINK_NOFOLLOW) != 0) failAt("set the times of", path, errno);
  }
}

}  // namespace swarm::transfer
