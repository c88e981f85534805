// export and import: a workspace's files as one archive.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text/format.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"
#include "cli/verbs/verbs_shared.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kNotesShown = 10;
constexpr std::chrono::milliseconds kRedraw{200};

Error fileError(const std::string& doing, const std::string& path) {
  ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::OutOfResources
                   : errno == ENOENT                  ? ErrorCode::NotFound
                                                      : ErrorCode::InvalidArgument;
  return Error(code, format("{} could not be {}: {}.", path, doing, std::strerror(errno)));
}

void writeAll(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw fileError("written", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// One line on a terminal that says how far it is; nothing elsewhere.
class ByteProgress {
 public:
  ByteProgress(const Context& context, std::int64_t total) : live_(context.stderrIsTerminal()), total_(total) {}
  ~ByteProgress() { clear(); }
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  void add(std::size_t bytes) {
    done_ += static_cast<std::int64_t>(bytes);
    auto now = std::chrono::steady_clock::now();
    if (!live_ || now - drawn_ < kRedraw) return;
    drawn_ = now;
    double seconds = std::chrono::duration<double>(now - began_).count();
    auto rate = static_cast<std::int64_t>(static_cast<double>(done_) / std::max(seconds, 0.1));
    std::string text = bytesText(done_);
    if (total_ > 0) text += format(" of {} ({} %)", bytesText(total_), done_ * 100 / total_);
    std::fputs(format("\r\033[K{}, {}/s", text, bytesText(rate)).c_str(), stderr);
  }
  void clear() {
    if (live_ && drawn_ != std::chrono::steady_clock::time_point{}) std::fputs("\r\033[K", stderr);
    live_ = false;
  }

 private:
  bool live_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
};

void tellNotes(const ArchiveNotes& notes) {
  for (std::size_t i = 0; i < std::min(notes.notes.size(), kNotesShown); ++i) {
    const ArchiveNote& note = notes.notes[i];
    tell(format("  {}{}{}\n", note.path, note.path.empty() ? "" : ": ", note.reason));
  }
  if (auto shown = std::min<std::int64_t>(notes.count, kNotesShown); notes.count > shown)
    std::fputs(format("  and {} more\n", countText(notes.count - shown)).c_str(), stderr);
}

// The file that a signal's handler removes: a half-written archive must not lie about.
std::array<char, 4096> partial_path{};

extern "C" void removePartial(int number) {
  ::unlink(partial_path.data());
  ::signal(number, SIG_DFL);
  ::raise(number);
}

/// Where the archive goes. A file gets its name when the archive is whole, and is removed when it is not; what is no file (a pipe, a
/// device, standard output) is written through, and so is what a link leads to.
class Target {
 public:
  explicit Target(const std::string& path) : path_(path) {
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
    bool exists = ::lstat(path_.c_str(), &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
      openThrough();
    else
      openPartial();
  }
  ~Target() {
    if (file_ >= 0) ::close(file_);
    if (!partial_.empty()) ::unlink(partial_.c_str());
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  void write(std::string_view bytes) { writeAll(file_, bytes, shown_); }
  void finish() {
    if (!partial_.empty()) {
      if (::fsync(file_) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) throw fileError("written", path_);
      partial_.clear();
    }
    if (::close(std::exchange(file_, -1)) != 0) throw fileError("written", shown_);
  }

 private:
  void openThrough() {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);
    if (file_ < 0) throw fileError("written", path_);
  }
  void openPartial() {
    partial_ = path_ + ".partial";
    if (partial_.size() >= partial_path.size()) throw Error(ErrorCode::InvalidArgument, "The file's name is too long.");
    file_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0) throw fileError("written", std::exchange(partial_, {}));
    partial_.copy(partial_path.data(), partial_.size());
    for (int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, removePartial);
  }

  std::string path_, partial_, shown_;
  int file_ = -1;
};

/// The archive to send: looked at before anything is made for it.
class Source {
 public:
  explicit Source(const std::string& path) : name_(path == "-" ? "standard input" : path) {
    file_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) throw fileError("read", name_);
    first_ = read(kPiece);
    if (!looksCompressed(first_)) throw Error(ErrorCode::Unprocessable, format("{} is not an archive of `swarm export`.", name_));
    struct stat status{};
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) return;
    size_ = status.st_size;
    checkEnd();
  }
  ~Source() {
    if (file_ >= 0) ::close(file_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::int64_t size() const { return size_; }  ///< 0: not known
  std::string next() { return first_.empty() ? read(kPiece) : std::exchange(first_, std::string()); }

 private:
  std::string read(std::size_t most) {
    std::string piece(most, '\0');
    ssize_t count = 0;
    do {
      count = ::read(file_, piece.data(), piece.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw fileError("read", name_);
    piece.resize(static_cast<std::size_t>(count));
    return piece;
  }

  void checkEnd() const {
    auto length = std::min<std::int64_t>(size_, kLongestEndMark);
    std::string tail(static_cast<std::size_t>(length), '\0');
    if (::pread(file_, tail.data(), tail.size(), size_ - length) != length) throw fileError("read", name_);
    auto mark = findEndMark(tail);
    if (mark && mark->failure.empty()) return;
    throw Error(ErrorCode::Unprocessable,
                format("{} is incomplete: the end mark that `swarm export` writes is missing. (To import an archive that another tool "
                       "packed, use standard input: swarm import - < {}.)",
                       name_, name_));
  }

  std::string name_;
  int file_ = -1;
  std::string first_;
  std::int64_t size_ = 0;
};

std::string hintAfter(const ImportFlags& flags, const Instance& instance, bool made) {
  const std::string& name = instance.config.name;
  if (!made) return format("Try again with: swarm import {} --name {} --force\n", flags.file, name);
  return format("Nothing was imported; {} was created and is empty. To remove it: swarm delete {} --volumes\n", name, name);
}

}  // namespace

int exportArchive(Context& context, const ExportFlags& flags) {
  ::signal(SIGPIPE, SIG_IGN);
  Target target(flags.file);
  ArchiveReport report;
  {
    ByteProgress progress(context, 0);
    report = context.client().exportInstance(flags.name, [&](std::string_view piece) {
      target.write(piece);
      progress.add(piece.size());
    });
  }
  target.finish();
  bool named = !flags.file.empty() && flags.file != "-";
  std::fputs(format("{}{}\n", bytesText(report.bytes), named ? " in " + flags.file : "").c_str(), stderr);
  if (report.left.count > 0) {
    std::fputs("Left out, or changed while it was read:\n", stderr);
    tellNotes(report.left);
  }
  return kDone;
}

int importArchive(Context& context, const ImportFlags& flags) {
  Source source(flags.file);
  std::optional<Instance> instance;
  if (flags.force && !flags.create.name.empty()) instance = context.client().getInstance(flags.create.name);
  bool made = !instance;
  if (made) instance = createAndWait(context, flags.create);
  ArchiveReport report;
  try {
    ByteProgress progress(context, source.size());
    report = context.client().importInstance(
        instance->id,
        [&] {
          std::string piece = source.next();
          progress.add(piece.size());
          return piece;
        },
        flags.force);
  } catch (const Error& error) {
    printError(error, context.output());
    tell(hintAfter(flags, *instance, made));
    return exitCodeOf(error);
  }
  tell(format("{} files, {}, from {}\n", countText(report.files), bytesText(report.bytes), report.workspace));
  if (report.left.count > 0) {
    std::fputs("Left out:\n", stderr);
    tellNotes(report.left);
  }
  printResult(context, reload(context, *instance));
  return kDone;
}

}  // namespace swarm::cli
