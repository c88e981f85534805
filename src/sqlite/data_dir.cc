// The data folder's modes and lock.
#include "sqlite/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::sqlite {
namespace {

constexpr off_t kSpace = off_t{1} << 20;  ///< bytes

Error failure(int number, const std::filesystem::path& path, std::string_view what) {
  ErrorCode code = number == EACCES || number == EPERM || number == EROFS ? ErrorCode::PermissionDenied
                   : number == ENOSPC || number == EDQUOT                 ? ErrorCode::OutOfResources
                                                                          : ErrorCode::Unprocessable;
  return Error(code, format("{} {} failed: {}.", what, path.string(), std::strerror(number)));
}

/// The pid that the lock's holder wrote into it, or empty.
std::string readHolder(int file) {
  char text[32] = {};
  ssize_t length = ::pread(file, text, sizeof text - 1, 0);
  std::string holder(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!holder.empty() && (holder.back() == '\n' || holder.back() == ' ')) holder.pop_back();
  return holder;
}

void syncFolder(const std::filesystem::path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid()) ::fsync(folder.get());
}

}  // namespace

DataDir::DataDir(std::filesystem::path path) : path_(std::move(path)) {
  makeFolder();
  takeLock();
  makeDatabaseFile();
}

void DataDir::checkSpace(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "space-check";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int number = file < 0 ? errno : ::posix_fallocate(file, 0, kSpace);
  if (file >= 0) ::close(file);
  ::unlink(path.c_str());
  if (number == 0) return;
  const bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  throw Error(is_full ? ErrorCode::OutOfResources : ErrorCode::Unavailable,
              format("The data folder {} cannot be written: {}.", folder.string(), std::strerror(number)));
}

void DataDir::makeFolder() {
  std::error_code code;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), code);
  if (code) throw failure(code.value(), path_, "Creating the data folder");
  if (::mkdir(path_.c_str(), 0700) == 0) return;
  if (errno != EEXIST) throw failure(errno, path_, "Creating the data folder");
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) throw failure(errno, path_, "Reading the status of the data folder");
  if (!S_ISDIR(status.st_mode)) throw Error(ErrorCode::Unprocessable, format("The data folder {} is not a folder.", path_.string()));
  // It holds keys and password hashes: other users must not even list it.
  if ((status.st_mode & 077) != 0 && ::chmod(path_.c_str(), 0700) != 0)
    throw failure(errno, path_, "Restricting access to the data folder");
}

void DataDir::takeLock() {
  std::filesystem::path file = path_ / "lock";
  lock_ = Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.valid()) throw failure(errno, file, "Opening the lock");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw failure(errno, file, "Locking");
    std::string holder = readHolder(lock_.get());
    throw Error(ErrorCode::Conflict,
                format("Another server (process {}) uses the data folder {}: stop it first, or give this one a folder of "
                       "its own.",
                       holder.empty() ? "unknown" : holder, path_.string()));
  }
  // The pid is informational; on a full disk the lock is still held.
  std::string pid = std::to_string(::getpid()) + "\n";
  [[maybe_unused]] int cut = ::ftruncate(lock_.get(), 0);
  [[maybe_unused]] ssize_t written = ::pwrite(lock_.get(), pid.data(), pid.size(), 0);
}

void DataDir::makeDatabaseFile() {
  std::filesystem::path path = databaseFile();
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw failure(errno, path, "Opening the database");
  int changed = ::fchmod(file, 0600);
  int number = errno;
  ::close(file);
  if (changed != 0) throw failure(number, path, "Restricting access to the database");
  syncFolder(path_);
}

}  // namespace swarm::sqlite
