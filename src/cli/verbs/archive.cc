// `swarm export` and `swarm import`: files that are written whole or not at all, archives that are checked before they are sent.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/files/descriptor.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

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

/// The destination of an export. A file gets its name when the archive is complete, and is removed otherwise; what is not a regular file
/// (a pipe, a device, standard output) is written directly, and so is the target of a link.
class ArchiveTarget {
 public:
  /// "" and "-": standard output. Throws Error.
  explicit ArchiveTarget(const std::string& path) : path_(path) {
    struct stat status{};
    if (path.empty() || path == "-") {
      if (::isatty(STDOUT_FILENO))
        throw Error(ErrorCode::InvalidArgument, "An archive cannot be printed on a terminal: add -o FILE, or redirect it with > FILE.");
      path_ = "standard output";
      file_ = Descriptor(::dup(STDOUT_FILENO));
    } else if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600));
    } else {
      openPartial();
    }
    if (!file_.valid()) throw fileError("written", path_);
  }
  ~ArchiveTarget() {
    if (!partial_.empty()) ::unlink(partial_.c_str());
  }
  ArchiveTarget(const ArchiveTarget&) = delete;
  ArchiveTarget& operator=(const ArchiveTarget&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw fileError("written", path_);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void finish() {
    if (!partial_.empty()) {
      if (::fsync(file_.get()) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) throw fileError("written", path_);
      partial_.clear();
    }
    if (::close(file_.release()) != 0) throw fileError("written", path_);
  }

 private:
  void openPartial() {
    const std::string partial = path_ + ".partial";
    if (partial.size() >= partial_path.size()) throw Error(ErrorCode::InvalidArgument, "The file's name is too long.");
    // In a folder that other users may write to, what is there may be theirs: a file that they can read, or a link to one of ours.
    ::unlink(partial.c_str());
    file_ = Descriptor(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_.valid()) throw fileError("written", partial);
    partial_ = partial;
    partial_.copy(partial_path.data(), partial_.size());
    for (int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, removePartial);
  }

  std::string path_, partial_;
  Descriptor file_;
};

/// The archive to import, checked as far as possible before a workspace is created for it.
class ArchiveSource {
 public:
  /// "-": standard input. Throws Error.
  explicit ArchiveSource(const std::string& path)
      : name_(path == "-" ? "standard input" : path),
        file_(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!file_.valid()) throw fileError("read", name_);
    first_ = read();
    if (!looksCompressed(first_)) throw Error(ErrorCode::Unprocessable, format("{} is not an archive of `swarm export`.", name_));
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    size_ = status.st_size;
    checkEnd();
  }

  std::int64_t size() const { return size_; }                                                    ///< 0: unknown
  std::string next() { return first_.empty() ? read() : std::exchange(first_, std::string()); }  ///< empty at the end

 private:
  std::string read() {
    std::string piece(kArchivePiece, '\0');
    ssize_t count = 0;
    do {
      count = ::read(file_.get(), piece.data(), piece.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw fileError("read", name_);
    piece.resize(static_cast<std::size_t>(count));
    return piece;
  }

  void checkEnd() const {
    const auto length = std::min<std::int64_t>(size_, kLongestEndMark);
    std::string tail(static_cast<std::size_t>(length), '\0');
    if (::pread(file_.get(), tail.data(), tail.size(), size_ - length) != length) throw fileError("read", name_);
    const auto mark = findEndMark(tail);
    if (mark && mark->failure.empty()) return;
    throw Error(ErrorCode::Unprocessable,
                format("{} is incomplete: the end mark that `swarm export` writes is missing. (To import an archive that another tool "
                       "packed, use standard input: swarm import - < {}.)",
                       name_, name_));
  }

  std::string name_;
  Descriptor file_;
  std::string first_;
  std::int64_t size_ = 0;
};

/// One line with the progress on a terminal; nothing elsewhere.
class ByteProgress {
 public:
  ByteProgress(const Context& context, std::int64_t total) : live_(context.stderrIsTerminal()), total_(total) {}
  ~ByteProgress() {
    if (live_ && drawn_ != std::chrono::steady_clock::time_point{}) std::fputs("\r\033[K", stderr);
  }
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  void add(std::size_t bytes) {
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

 private:
  bool live_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
};

void reportNotes(const std::string& title, const ArchiveNotes& notes) {
  if (notes.count == 0) return;
  report(title);
  for (std::size_t i = 0; i < std::min(notes.notes.size(), kNotesShown); ++i) {
    const ArchiveNote& note = notes.notes[i];
    report(format("  {}{}{}\n", note.path, note.path.empty() ? "" : ": ", note.reason));
  }
  if (auto shown = std::min<std::int64_t>(notes.count, kNotesShown); notes.count > shown)
    report(format("  and {} more\n", countText(notes.count - shown)));
}

class Export final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id of a running workspace").suggest(workspaceNames());
    arguments.option("-o,--output", file_, "File to write, which gets its name when it is complete; - for standard output (the default)")
        .suggest(fileNames());
  }

  int run(Context& context) override {
    ::signal(SIGPIPE, SIG_IGN);
    ArchiveTarget target(file_);
    announceEntry(context, name_);
    ArchiveReport result;
    {
      ByteProgress progress(context, 0);
      result = context.client().exportInstance(name_, [&](std::string_view piece) {
        target.write(piece);
        progress.add(piece.size());
      });
    }
    target.finish();
    const bool named = !file_.empty() && file_ != "-";
    report(format("{}{}\n", bytesText(result.bytes), named ? " in " + file_ : ""));
    reportNotes("Left out, or changed while it was read:\n", result.left);
    return kDone;
  }

 private:
  std::string name_;
  std::string file_;  ///< empty: stdout
};

class Import final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("file", file_, "The archive; - for standard input").suggest(fileNames());
    arguments.option("--name", create_.name, "Name: a DNS label (default: a generated one)").sets("/name");
    create_.declare(arguments);
    arguments.flag("--force", force_, "Import into an existing workspace of that name, and replace the files in its storages");
    arguments.option("--timeout", timeout_, format("Seconds to wait for the creation (default {})", timeout_.count())).range(1, 86400);
  }

  int run(Context& context) override {
    ArchiveSource source(file_);
    std::optional<Instance> instance;
    if (force_ && !create_.name.empty()) instance = context.client().getInstance(create_.name);
    const bool created = !instance;
    if (created) instance = createAndWait(context, create_, timeout_);
    ArchiveReport result;
    try {
      result = send(context, *instance, source);
    } catch (const Error& error) {
      printError(context, error);
      report(nextStep(*instance, created, error));
      return exitCodeOf(error);
    }
    report(format("{} files, {}, from {}\n", countText(result.files), bytesText(result.bytes), result.workspace));
    reportNotes("Left out:\n", result.left);
    printResult(context, reload(context, *instance));
    return kDone;
  }

 private:
  ArchiveReport send(Context& context, const Instance& instance, ArchiveSource& source) const {
    announceEntry(context, instance.config.name);
    ByteProgress progress(context, source.size());
    const auto next = [&] {
      std::string piece = source.next();
      progress.add(piece.size());
      return piece;
    };
    return context.client().importInstance(instance.id.str(), next, force_);
  }

  std::string nextStep(const Instance& instance, bool created, const Error& error) const {
    const std::string& name = instance.config.name;
    if (!created) return format("Try again with: swarm import {} --name {} --force\n", file_, name);
    using enum ErrorCode;
    constexpr std::array kUnchanged{InvalidArgument, Unprocessable, Conflict, OutOfResources};
    const bool refused = std::ranges::find(kUnchanged, error.code()) != kUnchanged.end();
    if (!refused) return format("{} was created. Check its files before you delete it: swarm exec {} -- ls -A\n", name, name);
    return format("Nothing was imported; {} was created and is empty. To remove it: swarm delete {} --volumes\n", name, name);
  }

  std::string file_;    ///< "-": stdin
  CreateFlags create_;  ///< of the workspace that is created for it
  bool force_ = false;
  std::chrono::seconds timeout_{900};
};

}  // namespace

void addArchive(const AddVerb& add) {
  add({.name = "export",
       .summary = "Write a workspace's files as one archive (POSIX tar, Zstandard)",
       .examples = {"swarm export web1 > web1.tar.zst", "swarm export web1 -o web1.tar.zst", "zstd -dc web1.tar.zst | tar -t"},
       .notes = "The archive has the persistent storages, with owners, modes, times, attributes, links and holes. Sockets, and files "
                "that changed while they were read, are reported.\n"
                "Exit code 0 means a complete archive; zstd, tar and `swarm import` also detect an incomplete one."},
      std::make_unique<Export>());
  add({.name = "import",
       .summary = "Create a workspace from an archive of `swarm export`",
       .examples = {"swarm import web1.tar.zst --name web2", "swarm import web1.tar.zst --name web2 --provider flyio --region ams",
                    "swarm export web1 | swarm import - --name web2"},
       .notes = "The workspace needs a storage for each one in the archive (--volume). After a failure, the command reports what is "
                "left, and how to remove it."},
      std::make_unique<Import>());
}

}  // namespace swarm::cli
