// Write, sync, rename.
#include "cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/files/descriptor.h"
#include "base/id.h"

namespace swarm::cli {
namespace {

int writeNew(const std::filesystem::path& path, const std::filesystem::path& former, std::string_view text, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return errno;
  struct stat before{}, now{};
  if (::stat(former.c_str(), &before) == 0 && ::fstat(file.get(), &now) == 0 &&
      (before.st_uid != now.st_uid || before.st_gid != now.st_gid)) {
    // Only root may give any file away; for others it stays theirs.
    if (::fchown(file.get(), before.st_uid, before.st_gid) != 0 && ::geteuid() == 0) return errno;
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0 ? errno : 0;
}

}  // namespace

int replaceFile(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const std::filesystem::path temporary = path.string() + ".new-" + toHex(randomBytes(4));
  int problem = writeNew(temporary, path, text, mode);
  if (problem == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) problem = errno;
  if (problem != 0) ::unlink(temporary.c_str());
  return problem;
}

}  // namespace swarm::cli
