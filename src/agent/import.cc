// The way in: the client | Zstandard | TarGate | tar. The instance is held from the moment at which it is known that the archive fits.
#include <fcntl.h>

#include <boost/json/parse.hpp>
#include <thread>

#include "agent/answers.h"
#include "agent/archives.h"
#include "agent/clear_storage.h"
#include "agent/tar_gate.h"
#include "agent/tasks.h"
#include "agent/unzip.h"
#include "base/format.h"
#include "base/log.h"
#include "model/codec.h"
#include "net/deadline.h"
#include "net/notifier.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kImportPiece = 128 * 1024;
constexpr std::chrono::seconds kSilence{300};  // of a client
constexpr std::chrono::seconds kVscodePatience{60};
constexpr std::chrono::seconds kImportFarewell{10};
constexpr int kImportPipeSize = 1024 * 1024;
constexpr std::string_view kHoldName = "import";
constexpr std::string_view kHoldReason = "Files are being imported into this workspace.";

struct ImportRequest {
  std::vector<std::string> storages;  ///< absolute; an archive's must be among them
  std::vector<std::string> excluded;  ///< absolute; other mounts
  bool force = false;                 ///< whatever is there may be replaced
};

ImportRequest readRequest(std::string_view query) {
  ImportRequest request;
  for (auto& [name, value] : net::parseQuery(query)) {
    bool is_path = value.size() > 1 && value.front() == '/' && !value.ends_with('/');
    if (name == "force") request.force = value == "true";
    if (name == "storage" && is_path) request.storages.push_back(value);
    if (name == "excluded" && is_path) request.excluded.push_back(value);
  }
  if (request.storages.empty()) throw Error(ErrorCode::InvalidArgument, "The query must name the instance's storages: \"storage=/PATH\".");
  return request;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Closing with unread bytes would reset the connection, and a proxy in between might drop our answer: whoever still sends gets time to see
/// it.
awaitable<void> readOn(net::Exchange& exchange) {
  std::vector<char> scratch(kImportPiece);
  exchange.stream().setDeadline(std::chrono::steady_clock::now() + kImportFarewell);
  while (!exchange.body().done()) {
    auto got = co_await exchange.body().readSome(asio::buffer(scratch));
    if (got.error) co_return;
  }
}

/// One import while it runs. Lives in handleImport's frame until its tasks have ended.
class ImportSession {
 public:
  ImportSession(const ArchiveParts& parts, net::Exchange& exchange, ImportRequest request, bool& importing)
      : parts_(parts), exchange_(exchange), request_(std::move(request)), importing_(importing), tasks_(parts.exec.executor) {}

  /// Whatever happens, afterwards nothing of it runs and the instance is released.
  awaitable<void> run() {
    std::exception_ptr failure;
    try {
      co_await readManifest();
      checkStorages();
      co_await holdInstance();
      co_await clearStorages();
      startTar();
      co_await unpack();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await endTar();
    if (importing_) co_await releaseInstance();
    if (!problem_.empty()) throw Error(full_ ? ErrorCode::OutOfResources : ErrorCode::UpstreamFailed, problem_);
    if (failure) std::rethrow_exception(failure);
  }

  boost::json::object answer() {
    boost::json::object json = toJson(gate_.notes());
    json["files"] = gate_.files();
    json["bytes"] = gate_.bytes();
    json["workspace"] = workspace_;
    return json;
  }
  const std::vector<std::string>& replaced() const { return replaced_; }

 private:
  /// Gives what the gate lets pass of the next piece, or nothing at the end of a whole archive.
  awaitable<std::string> next() {
    std::string out;
    while (out.empty()) {
      if (compressed_.empty() && !unzip_.hasMore()) {
        std::vector<char> piece(kImportPiece);
        exchange_.stream().setDeadline(std::chrono::steady_clock::now() + kSilence);
        auto got = co_await exchange_.body().readSome(asio::buffer(piece));
        exchange_.stream().setDeadline(SteadyTime::max());
        if (got.error) throw Error(ErrorCode::InvalidArgument, "The archive was cut: the connection ended before it was whole.");
        if (got.bytes == 0) {
          if (!unzip_.betweenFrames() || !gate_.ended())
            throw Error(ErrorCode::Unprocessable, "The archive is not whole: its end is missing.");
          co_return out;
        }
        compressed_.assign(piece.data(), got.bytes);
        parts_.activity.touch();
      }
      std::string tar;
      compressed_.erase(0, unzip_.feed(compressed_, tar));
      gate_.feed(tar, out);
      if (gate_.manifest() && !held_back_) co_return out;
    }
    co_return out;
  }

  awaitable<void> readManifest() {
    while (!gate_.manifest()) {
      first_ += co_await next();
      if (gate_.ended()) throw Error(ErrorCode::Unprocessable, "The archive is empty.");
    }
    held_back_ = true;
  }

  void checkStorages() {
    ObjectReader reader(parseJson(*gate_.manifest(), "swarm-workspace.json"), UnknownFields::Ignore);
    auto form = reader.require<std::int64_t>("format");
    replaced_ = reader.require<std::vector<std::string>>("storages");
    workspace_ = reader.read<std::string>("name").value_or("");
    reader.finish();
    if (form != kArchiveFormat) throw Error(ErrorCode::Unprocessable, format("The archive's format {} is not known here.", form));
    std::vector<std::string> missing, work;
    for (const std::string& storage : replaced_) {
      if (std::ranges::find(request_.storages, storage) == request_.storages.end()) missing.push_back(storage);
    }
    if (!missing.empty()) {
      throw Error(ErrorCode::Unprocessable,
                  format("The archive holds {}, and this instance has no such storage. It has: {}. Nothing was changed.", joined(missing),
                         joined(request_.storages)));
    }
    if (!request_.force) refuseIfThereIsWork();
    gate_.setStorages(replaced_);
    gate_.feed({}, first_);  // what is here already is judged before anything is touched
  }

  void refuseIfThereIsWork() const {
    for (const std::string& storage : replaced_) {
      auto work = namesOfWorkIn(path(storage), parts_.root / "etc/skel");
      if (work.empty()) continue;
      throw Error(ErrorCode::Conflict, format("There are files in {} already ({} …), which an import would replace. Nothing was changed; "
                                              "to replace them, force it.",
                                              storage, joined(work)));
    }
  }

  awaitable<void> holdInstance() {
    importing_ = true;
    std::exception_ptr failure;
    try {
      co_await parts_.hold.hold(std::string(kHoldName), std::string(kHoldReason));
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    importing_ = false;
    std::rethrow_exception(failure);
  }

  awaitable<void> releaseInstance() {
    importing_ = false;
    try {
      co_await parts_.hold.release();
      co_await parts_.vscode.waitUntilReady(Deadline::after(kVscodePatience));
    } catch (const Error& error) {
      log::warning("not released after an import", {{"reason", error.message()}});
    }
  }

  /// On a thread of its own, which is waited for.
  awaitable<void> clearStorages() {
    std::vector<std::filesystem::path> folders, kept;
    for (const std::string& storage : replaced_) folders.push_back(path(storage));
    for (const auto* list : {&request_.storages, &request_.excluded}) {
      for (const std::string& mount : *list) kept.push_back(path(mount));
    }
    std::exception_ptr failure;
    bool done = false;
    net::Notifier changed;
    auto executor = parts_.exec.executor;
    std::thread thread([&] {
      std::exception_ptr its_failure;
      try {
        for (const auto& folder : folders) clearStorage(folder, kept);
      } catch (...) {
        its_failure = std::current_exception();
      }
      asio::post(executor, [&, its_failure] {
        failure = its_failure;
        done = true;
        changed.notifyAll();
      });
    });
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!done) co_await changed.wait(changed.version(), Deadline::never());
    thread.join();
    if (failure) std::rethrow_exception(failure);
  }

  void startTar() {
    auto started = startOnPipes(
        parts_.exec,
        toolRequest({"tar", "--extract", "--file=-", "--numeric-owner", "--same-owner", "--preserve-permissions", "--acls", "--xattrs",
                     "--xattrs-include=user.*", "--xattrs-include=security.capability", "--delay-directory-restore",
                     "--quoting-style=escape", "--warning=no-timestamp", "--directory=" + parts_.root.string()}));
    if (!started) {
      bool missing = started.error().exitCode == 127;
      throw Error(ErrorCode::Unprocessable,
                  missing ? "The image of this instance has no \"tar\", which unpacks the archive." : started.error().message);
    }
    tar_ = std::move(*started);
    ::fcntl(tar_->input.native_handle(), F_SETPIPE_SZ, kImportPipeSize);
    tasks_.spawn(readLines(tar_->error, [this](std::string_view line) { takeLine(line); }));
    tasks_.spawn(readLines(tar_->output, [](std::string_view) {}));
  }

  void takeLine(std::string_view line) {
    addTarLine(gate_.notes(), line);
    // "Wrote only 7168 of 10240 bytes" is how the last write into a full storage ends.
    bool tells = line.contains("No space left on device") || line.contains("Disk quota exceeded") || line.contains(": Wrote only ");
    if (full_ || !tells) return;
    full_ = true;
    problem_ = "The storage is full: the archive does not fit. The import is not complete.";
    tar_->child->signalGroup(SIGKILL);
  }

  awaitable<void> unpack() {
    std::string piece = std::move(first_);
    for (;;) {
      if (!piece.empty() && !co_await writePipe(tar_->input, piece)) break;  // its exit code and messages say why
      piece = co_await next();
      if (piece.empty()) break;
    }
    tar_->closeInput();
    co_await tar_->child->wait();
    co_await tasks_.wait();
    int code = tar_->child->exitCode();
    if (code == 0 || !problem_.empty()) co_return;
    std::string why = format("exit code {}", code);
    if (!gate_.notes().notes.empty()) why = format("{}: {}", gate_.notes().notes.back().path, gate_.notes().notes.back().reason);
    throw Error(ErrorCode::UpstreamFailed, format("The archive could not be unpacked: {}. The import is not complete.", why));
  }

  awaitable<void> endTar() {
    if (!tar_) co_return;
    if (!tar_->child->exited()) tar_->child->signalGroup(SIGKILL);
    co_await tar_->child->wait();
    co_await tasks_.wait();
    tar_->closeAll();
  }

  std::filesystem::path path(const std::string& storage) const { return parts_.root / storage.substr(1); }

  const ArchiveParts& parts_;
  net::Exchange& exchange_;
  ImportRequest request_;
  bool& importing_;
  Unzip unzip_;
  TarGate gate_;
  std::string compressed_;  // came from the client and was not unpacked yet
  std::string first_;       // passed the gate before tar was there
  bool held_back_ = false;  // the manifest was read
  std::vector<std::string> replaced_;
  std::string workspace_;
  std::unique_ptr<ExecProcess> tar_;
  std::string problem_;
  bool full_ = false;
  TaskGroup tasks_;
};

}  // namespace

awaitable<void> Archives::handleImport(net::Exchange& exchange) {
  if (importing_) co_return co_await answerReason(exchange, 409, "Another import is running in this instance.");
  Activity::Connection connection(parts_.activity);
  parts_.activity.touch();
  std::optional<Error> wrong;
  boost::json::object answer;
  try {
    if (!refusal_.empty()) throw Error(ErrorCode::Unavailable, refusal_);
    ImportSession session(parts_, exchange, readRequest(exchange.head().query()), importing_);
    co_await session.run();
    answer = session.answer();
    log::info("imported", {{"from", answer["workspace"].as_string().c_str()}, {"files", answer["files"].as_int64()}});
  } catch (const Error& error) {
    wrong = error;
    log::warning("an import failed", {{"reason", error.message()}});
  }
  if (!wrong) co_return co_await answerJson(exchange, 200, std::move(answer));
  co_await answerError(exchange, *wrong);
  co_await readOn(exchange);
}

}  // namespace swarm::agent
