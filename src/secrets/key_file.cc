#include "secrets/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/id.h"
#include "base/text/format.h"
#include "secrets/secret_box.h"

namespace swarm {
namespace {

constexpr std::size_t kHexBytes = 2 * SecretBox::kKeyBytes;

[[noreturn]] void fail(int number, const std::filesystem::path& file, std::string_view what) {
  const bool is_full = number == ENOSPC || number == EDQUOT, is_denied = number == EACCES || number == EPERM || number == EROFS;
  throw Error(is_full     ? ErrorCode::OutOfResources
              : is_denied ? ErrorCode::PermissionDenied
                          : ErrorCode::Unprocessable,
              format("The key file {} cannot be {}: {}. Check its folder and disk, or name another path with [server] secretsKeyFile.",
                     file.string(), what, std::strerror(number)));
}

/// Removes the file at the end.
struct Temporary {
  std::filesystem::path path;
  ~Temporary() { ::unlink(path.c_str()); }
};

void checkPrivate(int descriptor, const std::filesystem::path& file) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) fail(errno, file, "read");
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::Unprocessable, format("The key file {} is not a file.", file.string()));
  if ((status.st_mode & 077) != 0)
    throw Error(ErrorCode::PermissionDenied, format("Other users may use the key file {}. Who may have read it has the server's secrets: "
                                                    "restrict it with chmod 600, and replace the key of API tokens (swarm signing-keys "
                                                    "rotate).",
                                                    file.string()));
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    throw Error(ErrorCode::PermissionDenied,
                format("The key file {} belongs to another user. Give it to the user of the server.", file.string()));
}

}  // namespace

std::optional<Secret> readKeyFile(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.valid() && errno == ENOENT) return std::nullopt;
  if (!opened.valid()) fail(errno, file, "read");
  checkPrivate(opened.get(), file);
  std::string text(kHexBytes + 2, '\0');
  const ssize_t length = ::read(opened.get(), text.data(), text.size());
  if (length < 0) fail(errno, file, "read");
  text.resize(static_cast<std::size_t>(length));
  while (text.ends_with('\n')) text.pop_back();
  auto key = text.size() == kHexBytes ? fromHex(text) : std::nullopt;
  if (!key)
    throw Error(ErrorCode::Unprocessable,
                format("The key file {} is damaged; expected {} hexadecimal digits. Restore it from a backup.", file.string(), kHexBytes));
  return Secret(std::move(*key));
}

Secret createKeyFile(const std::filesystem::path& file) {
  Secret key(randomBytes(SecretBox::kKeyBytes));
  const Secret text(toHex(key.reveal()) + "\n");
  // A name of its own: what a killed process left behind does not matter.
  const Temporary temporary{file.string() + "." + toHex(randomBytes(4)) + ".new"};
  {
    const Descriptor made(::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.valid()) fail(errno, file, "created");
    const ssize_t written = ::write(made.get(), text.reveal().data(), text.reveal().size());
    if (written < 0) fail(errno, file, "written");
    if (static_cast<std::size_t>(written) != text.reveal().size()) fail(ENOSPC, file, "written");
    if (::fsync(made.get()) != 0) fail(errno, file, "written");
  }
  // A rename, not a link: a process that is killed leaves no second name of the key. Some network file systems have no such rename.
  const bool is_renamed = ::renameat2(AT_FDCWD, temporary.path.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0;
  if (!is_renamed && (errno != EINVAL || ::link(temporary.path.c_str(), file.c_str()) != 0)) fail(errno, file, "created");
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); opened.valid()) ::fsync(opened.get());
  return key;
}

}  // namespace swarm
