// The way out: tar | (our own first and last member) | zstd | the client.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

#include "agent/answers.h"
#include "agent/archives.h"
#include "agent/tar_gate.h"
#include "agent/tar_tail.h"
#include "agent/tasks.h"
#include "base/format.h"
#include "base/id.h"
#include "base/log.h"
#include "model/codec.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kMaxRequest = 64 * 1024;
constexpr std::size_t kPiece = 256 * 1024;
constexpr int kPipeSize = 1024 * 1024;

struct ExportRequest {
  boost::json::object workspace;      ///< the manifest's members
  std::vector<std::string> storages;  ///< absolute
  std::vector<std::string> excluded;  ///< absolute; mounts that are not in it
};

ExportRequest readRequest(const boost::json::value& json) {
  ObjectReader reader(json, UnknownFields::Ignore);
  ExportRequest request;
  request.workspace = reader.require<boost::json::object>("workspace");
  request.storages = reader.require<std::vector<std::string>>("storages");
  request.excluded = reader.read<std::vector<std::string>>("excluded").value_or(std::vector<std::string>{});
  for (const auto* list : {&request.storages, &request.excluded}) {
    for (const std::string& path : *list) {
      if (path.size() < 2 || path.front() != '/' || path.ends_with('/')) reader.fail("/storages", "must be absolute paths");
    }
  }
  reader.finish();
  return request;
}

/// A folder with the empty file that keeps the last member's place.
class Placeholder {
 public:
  Placeholder() {
    std::string name = (std::filesystem::temp_directory_path() / "swarm-export-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error(ErrorCode::OutOfResources, "No temporary folder could be made in this instance.");
    folder_ = name;
    auto file = folder_ / kArchiveNotes;
    std::ofstream(file) << "";
    // Whole seconds: no extended header is written for it.
    timespec times[2] = {{0, 0}, {0, 0}};
    ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  }
  ~Placeholder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Placeholder(const Placeholder&) = delete;
  Placeholder& operator=(const Placeholder&) = delete;
  std::string folder() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

std::string relative(const std::string& path) { return path.substr(1); }

/// In how many of the others it lies.
std::size_t levelOf(const std::string& storage, const std::vector<std::string>& storages) {
  return static_cast<std::size_t>(
      std::ranges::count_if(storages, [&](const std::string& other) { return storage.starts_with(other + "/"); }));
}

/// A storage within another one is left out of that and stands for itself: told apart by "./" before its name, which is taken off again.
std::vector<std::string> tarCommand(const ExportRequest& request, const std::filesystem::path& root, const std::string& placeholder) {
  std::vector<std::string> argv{"tar",
                                "--create",
                                "--file=-",
                                "--format=posix",
                                "--pax-option=delete=atime,delete=ctime",
                                "--numeric-owner",
                                "--sparse",
                                "--acls",
                                "--xattrs",
                                "--xattrs-include=user.*",
                                "--xattrs-include=security.capability",
                                "--one-file-system",
                                "--quoting-style=escape",
                                format("--blocking-factor={}", kTarRecordBlocks),
                                "--anchored",
                                "--no-wildcards"};
  auto add = [&](std::string_view option, std::size_t level, const std::string& path) {
    std::string word(option);
    for (std::size_t i = 0; i < level; ++i) word += "./";
    argv.push_back(word + relative(path));
  };
  std::size_t deepest = 0;
  for (const std::string& storage : request.storages) deepest = std::max(deepest, levelOf(storage, request.storages));
  for (std::size_t level = 0; level <= deepest; ++level) {
    for (const std::string& path : request.excluded) add("--exclude=", level, path);
    for (const std::string& storage : request.storages) {
      add("--exclude=", level, storage + "/lost+found");
      if (level < levelOf(storage, request.storages)) add("--exclude=", level, storage);
    }
  }
  argv.push_back(R"(--transform=s,^\(\./\)*,,S)");
  argv.push_back("--directory=" + root.string());
  for (const std::string& storage : request.storages) add("--add-file=", levelOf(storage, request.storages), storage);
  argv.push_back("--directory=" + placeholder);
  argv.push_back(std::string("--add-file=").append(kArchiveNotes));
  return argv;
}

std::string manifestOf(const ExportRequest& request) {
  boost::json::object manifest = request.workspace;
  manifest["format"] = kArchiveFormat;
  manifest["createdAt"] = formatTime(RealClock().now());
  manifest["storages"] = toJson(request.storages);
  return boost::json::serialize(manifest) + "\n";
}

/// One export while it runs. Lives in handleExport's frame until its tasks have ended.
class ExportSession {
 public:
  ExportSession(ExecContext& exec, Activity& activity, Guest& guest, net::Exchange& exchange)
      : exec_(exec), activity_(activity), guest_(guest), exchange_(exchange), tasks_(exec.executor) {}

  /// False with a sentence when a program is missing.
  std::optional<std::string> start(const ExportRequest& request, const std::filesystem::path& root) {
    manifest_ = manifestOf(request);
    tar_ = begin(tarCommand(request, root, placeholder_.folder()));
    if (tar_) zstd_ = begin({"zstd", "--quiet", "-3", "-T2", "--stdout", "-"});
    if (!zstd_) return problem_;
    for (int fd : {tar_->output.native_handle(), zstd_->input.native_handle(), zstd_->output.native_handle()})
      ::fcntl(fd, F_SETPIPE_SZ, kPipeSize);
    tar_->closeInput();
    return std::nullopt;
  }

  awaitable<void> run() {
    guest_.whenTold([this] { fail(guest_.reason()); });
    tasks_.spawn(readLines(tar_->error, [this](std::string_view line) { addTarLine(notes_, line); }));
    tasks_.spawn(readLines(zstd_->error, [this](std::string_view line) { zstd_says_ = line; }));
    tasks_.spawn(feed());
    std::exception_ptr cancelled;
    try {
      co_await send();
    } catch (...) {
      cancelled = std::current_exception();
      fail("It was cancelled.");
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    for (auto* process : {tar_.get(), zstd_.get()}) {
      if (cancelled || gone_ || !failure_.empty()) process->child->signalGroup(SIGKILL);
    }
    co_await tar_->child->wait();
    co_await zstd_->child->wait();
    tar_->closeAll();
    zstd_->closeAll();
    co_await tasks_.wait();
    if (cancelled) std::rethrow_exception(cancelled);
    co_await end();
  }

 private:
  std::unique_ptr<ExecProcess> begin(std::vector<std::string> argv) {
    std::string name = argv.front();
    auto started = startOnPipes(exec_, toolRequest(std::move(argv)));
    if (started) return std::move(*started);
    problem_ =
        started.error().exitCode == 127
            ? format("The image of this instance has no \"{}\", which an archive is made with. Install it there, and try again.", name)
            : started.error().message;
    if (tar_) tar_->child->signalGroup(SIGKILL);
    return nullptr;
  }

  /// The first reason counts. zstd must not end its frame as if all were well.
  void fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
    for (auto* process : {tar_.get(), zstd_.get()}) process->child->signalGroup(SIGKILL);
  }

  awaitable<void> feed() {
    std::string problem;
    try {
      co_await feedMembers();
    } catch (const Error& error) {
      problem = error.message();
    }
    if (!problem.empty()) fail(std::move(problem));
    zstd_->closeInput();
  }

  awaitable<void> feedMembers() {
    auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    TarTail tail{std::string(kArchiveNotes)};
    bool taken = co_await writePipe(zstd_->input, tarMember(kArchiveManifest, manifest_, now));
    std::vector<char> piece(kPiece);
    while (taken) {
      boost::system::error_code error;
      auto bytes = co_await tar_->output.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
      if (error || bytes == 0) break;
      std::string out;
      tail.feed({piece.data(), bytes}, out);
      taken = co_await writePipe(zstd_->input, out);
    }
    if (!taken) throw Error(ErrorCode::Internal, format("zstd ended early{}.", zstd_says_.empty() ? "" : ": " + zstd_says_));
    co_await tar_->child->wait();
    // 1: something changed while it was read, which its messages tell.
    if (int code = tar_->child->exitCode(); code > 1) throw Error(ErrorCode::UpstreamFailed, tarFailure(code));
    std::string notes = boost::json::serialize(toJson(notes_)) + "\n";
    co_await writePipe(zstd_->input, tail.finish(tarMember(kArchiveNotes, notes, now)));
  }

  std::string tarFailure(int code) const {
    if (notes_.notes.empty()) return format("tar ended with exit code {}.", code);
    const ArchiveNote& last = notes_.notes.back();
    return format("tar could not read everything: {}{}{}.", last.path, last.path.empty() ? "" : ": ", last.reason);
  }

  awaitable<void> send() {
    std::vector<char> piece(kPiece);
    for (;;) {
      boost::system::error_code error;
      auto bytes = co_await zstd_->output.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
      if (error || bytes == 0) co_return;
      activity_.touch();
      if (co_await exchange_.write({piece.data(), bytes})) continue;
      gone_ = true;
      co_return fail("The client is gone.");
    }
  }

  /// A whole archive ends with its mark and the end of the answer. Another one has the reason in its mark, and no end.
  awaitable<void> end() {
    if (gone_) co_return;
    if (failure_.empty() && zstd_->child->exitCode() != 0) failure_ = format("zstd ended with exit code {}.", zstd_->child->exitCode());
    notes_.failure = failure_;
    co_await exchange_.write(makeEndMark(notes_));
    if (failure_.empty()) co_return co_await exchange_.finish();
    log::warning("an export failed", {{"reason", failure_}});
    exchange_.stream().close();
  }

  ExecContext& exec_;
  Activity& activity_;
  Guest& guest_;
  net::Exchange& exchange_;
  Placeholder placeholder_;
  std::string manifest_;
  std::unique_ptr<ExecProcess> tar_, zstd_;
  ArchiveNotes notes_;
  std::string zstd_says_, failure_, problem_;
  bool gone_ = false;
  TaskGroup tasks_;
};

}  // namespace

awaitable<void> Archives::handleExport(net::Exchange& exchange) {
  Guest guest(parts_.hold);
  ExportRequest request;
  std::optional<Error> wrong;
  try {
    std::string body = co_await net::readAll(exchange.body(), kMaxRequest);
    request = readRequest(parseJson(body));
    if (!refusal_.empty()) throw Error(ErrorCode::Unavailable, refusal_);
    for (const std::string& storage : request.storages) {
      if (!std::filesystem::is_directory(parts_.root / relative(storage)))
        throw Error(ErrorCode::Unprocessable, format("There is no folder {} in this instance.", storage));
    }
  } catch (const Error& error) {
    wrong = error;
  }
  if (wrong) co_return co_await answerError(exchange, *wrong);
  co_await parts_.exec.whenThawed();
  if (guest.told()) co_return co_await answerReason(exchange, 503, guest.reason());
  Activity::Connection connection(parts_.activity);
  parts_.activity.touch();
  ExportSession session(parts_.exec, parts_.activity, guest, exchange);
  if (auto problem = session.start(request, parts_.root)) co_return co_await answerReason(exchange, 422, std::move(*problem));
  co_await exchange.begin(200, {{"Content-Type", std::string(kArchiveType)}, {"Cache-Control", "no-store"}});
  co_await session.run();
}

}  // namespace swarm::agent
