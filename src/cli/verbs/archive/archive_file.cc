// Reads and writes archives of workspaces.
#include "cli/verbs/archive/archive_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kArchivePiece = 256 * 1024;
constexpr std::size_t kNotesShown = 10;
constexpr std::chrono::milliseconds kRedraw{200};

Error fileError(const std::string& doing, const std::string& path) {
  ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::OutOfResources
                   : errno == ENOENT                  ? ErrorCode::NotFound
                                                      : ErrorCode::InvalidArgument;
  return Error(code, format("{} could not be {}: {}.", path, doing, std::strerror(errno)));
}

// A signal handler removes this incomplete file.
std::array<char, 4096> partial_path{};

extern "C" void removePartial(int number) {
  ::unlink(partial_path.data());
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

ArchiveTarget::ArchiveTarget(const std::string& path) : path_(path) {
  if (path_.empty() || path_ == "-") {
    if (::isatty(STDOUT_FILENO))
      throw Error(ErrorCode::InvalidArgument, "An archive cannot be printed on a terminal: add -o FILE, or redirect it with > FILE.");
    shown_ = "standard output";
    file_ = ::dup(STDOUT_FILENO);
    if (file_ < 0) throw fileError("written", shown_);
    return;
  }
  shown_ = path_;
  struct stat status{};
  const bool exists = ::lstat(path_.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode))
    openThrough();
  else
    openPartial();
}

ArchiveTarget::~ArchiveTarget() {
  if (file_ >= 0) ::close(file_);
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void ArchiveTarget::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw fileError("written", shown_);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void ArchiveTarget::finish() {
  if (!partial_.empty()) {
    if (::fsync(file_) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) throw fileError("written", path_);
    partial_.clear();
  }
  if (::close(std::exchange(file_, -1)) != 0) throw fileError("written", shown_);
}

void ArchiveTarget::openThrough() {
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);
  if (file_ < 0) throw fileError("written", path_);
}

void ArchiveTarget::openPartial() {
  partial_ = path_ + ".partial";
  if (partial_.size() >= partial_path.size()) throw Error(ErrorCode::InvalidArgument, "The file's name is too long.");
  // In a folder that other users may write to, what is there may be theirs: a file that they can read, or a link to one of ours.
  ::unlink(partial_.c_str());
  file_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) throw fileError("written", std::exchange(partial_, {}));
  partial_.copy(partial_path.data(), partial_.size());
  for (int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, removePartial);
}

ArchiveSource::ArchiveSource(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  file_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) throw fileError("read", name_);
  first_ = read(kArchivePiece);
  if (!looksCompressed(first_)) throw Error(ErrorCode::Unprocessable, format("{} is not an archive of `swarm export`.", name_));
  struct stat status{};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  size_ = status.st_size;
  checkEnd();
}

ArchiveSource::~ArchiveSource() {
  if (file_ >= 0) ::close(file_);
}

std::string ArchiveSource::next() { return first_.empty() ? read(kArchivePiece) : std::exchange(first_, std::string()); }

std::string ArchiveSource::read(std::size_t most) {
  std::string piece(most, '\0');
  ssize_t count = 0;
  do {
    count = ::read(file_, piece.data(), piece.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw fileError("read", name_);
  piece.resize(static_cast<std::size_t>(count));
  return piece;
}

void ArchiveSource::checkEnd() const {
  const auto length = std::min<std::int64_t>(size_, kLongestEndMark);
  std::string tail(static_cast<std::size_t>(length), '\0');
  if (::pread(file_, tail.data(), tail.size(), size_ - length) != length) throw fileError("read", name_);
  const auto mark = findEndMark(tail);
  if (mark && mark->failure.empty()) return;
  throw Error(ErrorCode::Unprocessable,
              format("{} is incomplete: the end mark that `swarm export` writes is missing. (To import an archive that another tool "
                     "packed, use standard input: swarm import - < {}.)",
                     name_, name_));
}

ByteProgress::~ByteProgress() {
  if (live_ && drawn_ != std::chrono::steady_clock::time_point{}) std::fputs("\r\033[K", stderr);
}

void ByteProgress::add(std::size_t bytes) {
  done_ += static_cast<std::int64_t>(bytes);
  auto now = std::chrono::steady_clock::now();
  if (!live_ || now - drawn_ < kRedraw) return;
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const auto rate = static_cast<std::int64_t>(static_cast<double>(done_) / std::max(seconds, 0.1));
  std::string text = bytesText(done_);
  if (total_ > 0) text += format(" of {} ({} %)", bytesText(total_), done_ * 100 / total_);
  std::fputs(format("\r\033[K{}, {}/s", text, bytesText(rate)).c_str(), stderr);
}

void reportNotes(const ArchiveNotes& notes) {
  for (std::size_t i = 0; i < std::min(notes.notes.size(), kNotesShown); ++i) {
    const ArchiveNote& note = notes.notes[i];
    report(format("  {}{}{}\n", note.path, note.path.empty() ? "" : ": ", note.reason));
  }
  if (auto shown = std::min<std::int64_t>(notes.count, kNotesShown); notes.count > shown)
    report(format("  and {} more\n", countText(notes.count - shown)));
}

}  // namespace swarm::cli
