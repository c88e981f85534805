// Import: the client | Zstandard | libarchive | a staging folder, which is exchanged with the existing files once the archive is proved
// complete. The instance is held from the moment the archive is known to fit.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <iterator>

#include "agent/archive/staging.h"
#include "agent/archive/tree_import.h"
#include "agent/files/archives.h"
#include "agent/files/blocking_pipe.h"
#include "agent/server/responses.h"
#include "async/blocking_work.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/files/descriptor.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "model/archive.h"
#include "model/codec/codec.h"
#include "transfer/tree/storages.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kImportPiece = 128 * 1024;
constexpr std::chrono::seconds kMaxClientSilence{300};  // of a client
constexpr std::chrono::seconds kVscodePatience{60};
constexpr std::chrono::seconds kImportFarewell{10};
constexpr std::size_t kMaxStorageNames = 3;
/// Created automatically by VS Code, shells and sudo.
constexpr std::array<std::string_view, 8> kAutomaticNames{
    kStagingName, ".local", ".config", ".cache", ".bash_history", ".lesshst", ".sudo_as_admin_successful", ".vscode-server"};
constexpr std::string_view kHoldName = "import";
constexpr std::string_view kHoldReason = "Files are being imported into this workspace.";

struct ImportRequest {
  std::vector<std::string> storages;  ///< absolute; an archive's must be among them
  std::vector<std::string> excluded;  ///< absolute; other mounts
  bool force = false;                 ///< existing files may be replaced
};

ImportRequest readRequest(std::string_view query) {
  ImportRequest request;
  for (auto& [name, value] : net::parseQuery(query)) {
    bool is_path = value.size() > 1 && value.front() == '/' && !value.ends_with('/');
    if (name == "force") request.force = value == "true";
    if (name == "storage" && is_path) request.storages.push_back(value);
    if (name == "excluded" && is_path) request.excluded.push_back(value);
  }
  if (request.storages.empty()) throw Error(ErrorCode::InvalidArgument, "The query must list the workspace's storages: \"storage=/PATH\".");
  return request;
}

/// Empty folders do not count: the image creates some.
bool holdsNothing(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(path, error))) return false;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (!holdsNothing(entry->path())) return false;
  }
  return !error;
}

bool isFileSystems(const std::filesystem::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && transfer::isLostAndFound(path.filename().native(), status);
}

/// Whether a file has exactly this text. A user may replace the file by a link or a pipe at any moment.
bool hasText(const std::filesystem::path& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::string start(text.size() + 1, '\0');
  const ssize_t size = file.valid() ? ::read(file.get(), start.data(), start.size()) : -1;
  return size > 0 && std::string_view(start).substr(0, static_cast<std::size_t>(size)) == text;
}

/// Some names in a storage that may be a user's work, which an archive would replace; excludes what a fresh home has from `skeleton`, what
/// VS Code and Setup create automatically, and folders without files. Empty: replacing it loses nothing.
std::vector<std::string> namesOfWorkIn(const std::filesystem::path& storage, const std::filesystem::path& skeleton,
                                       std::string_view git_config) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(storage, error), end; !error && entry != end && names.size() < kMaxStorageNames;
       entry.increment(error)) {
    std::string name = entry->path().filename();
    std::error_code ignored;
    bool expected = std::ranges::find(kAutomaticNames, name) != kAutomaticNames.end() ||
                    std::filesystem::exists(std::filesystem::symlink_status(skeleton / name, ignored)) || isFileSystems(entry->path()) ||
                    holdsNothing(entry->path()) || (name == ".gitconfig" && hasText(entry->path(), git_config));
    if (!expected) names.push_back(toValidUtf8(name));
  }
  std::ranges::sort(names);
  return names;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Closing with unread bytes would reset the connection, and a proxy in between might drop the response: a client that is still sending
/// gets time to receive it.
awaitable<void> readOn(net::Exchange& exchange) {
  std::vector<char> scratch(kImportPiece);
  exchange.stream().setDeadline(std::chrono::steady_clock::now() + kImportFarewell);
  while (!exchange.body().done()) {
    auto got = co_await exchange.body().readSome(asio::buffer(scratch));
    if (got.error) co_return;
  }
}

/// One running import. Lives in handleImport's frame until its threads have ended.
class ImportSession {
 public:
  ImportSession(const ArchiveParts& parts, net::Exchange& exchange, ImportRequest request, bool& importing)
      : parts_(parts),
        exchange_(exchange),
        request_(std::move(request)),
        importing_(importing),
        in_(parts.exec.executor, LoopPipe::Direction::FromLoop),
        reader_([this] { return readBlocking(in_.thread); }) {}

  /// However it ends, none of its threads run afterwards and the instance is released.
  awaitable<void> run() {
    std::exception_ptr failure;
    try {
      co_await async::race(work(), pump());
    } catch (...) {
      failure = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (importing_) co_await releaseInstance();
    if (failure) std::rethrow_exception(failure);
  }

  boost::json::object response() {
    boost::json::object json = toJson(reader_.notes());
    json["files"] = reader_.files();
    json["bytes"] = reader_.bytes();
    json["workspace"] = workspace_;
    return json;
  }

 private:
  /// Copies from the client to the reader's thread. Does not end on its own: its end would cancel work(), so it waits to be cancelled
  /// instead.
  awaitable<void> pump() {
    try {
      std::vector<char> piece(kImportPiece);
      for (;;) {
        exchange_.stream().setDeadline(std::chrono::steady_clock::now() + kMaxClientSilence);
        auto got = co_await exchange_.body().readSome(asio::buffer(piece));
        exchange_.stream().setDeadline(SteadyTime::max());
        if (got.error) cut_ = true;
        if (got.error || got.bytes == 0) break;
        parts_.activity.touch();
        if (!co_await writePipe(in_.loop, {piece.data(), got.bytes})) break;
      }
    } catch (...) {
      in_.loop.close();
      throw;
    }
    in_.loop.close();
    co_await async::sleepUntil(Deadline::never());
  }

  awaitable<void> work() {
    try {
      co_await block([this] { manifest_ = reader_.readManifest(); });
      checkStorages();
      co_await holdInstance();
      co_await block([this] { unpack(); });
    } catch (const Error& error) {
      in_.thread.reset();
      explain(error);
    } catch (...) {
      in_.thread.reset();
      throw;
    }
    in_.thread.reset();
  }

  awaitable<void> block(std::function<void()> part) {
    async::BlockingWork work(parts_.exec.executor, "archive", std::move(part));
    co_await work.wait();
  }

  /// On a thread. Only the last line changes the existing files.
  void unpack() {
    Staging staging(replaced_, {request_.storages, request_.excluded}, parts_.root);
    try {
      importTree(reader_, staging, stop_);
      staging.commit();
    } catch (...) {
      decided_ = staging.isCommitted();
      if (!decided_) staging.discard();
      throw;
    }
  }

  /// Describes the resulting state of the files.
  [[noreturn]] void explain(const Error& error) const {
    if (decided_)
      throw Error(ErrorCode::UpstreamFailed,
                  format("The archive is complete, but could not be put in place completely: {} Stop and start the workspace to continue.",
                         error.message()));
    if (cut_)
      throw Error(ErrorCode::InvalidArgument,
                  "The archive is incomplete: the connection ended before the end of the archive. Nothing was changed.");
    if (error.code() == ErrorCode::OutOfResources)
      throw Error(error.code(),
                  format("The archive and the files that it would replace do not fit on the disk together: {} Nothing was changed. Remove "
                         "files, or import into a workspace with a larger disk.",
                         error.message()));
    throw Error(error.code(), error.message() + " Nothing was changed.");
  }

  void checkStorages() {
    ObjectReader reader(parseJson(manifest_, "swarm-workspace.json"), UnknownFields::Ignore);
    auto form = reader.require<std::int64_t>("format");
    replaced_ = reader.require<std::vector<std::string>>("storages");
    workspace_ = reader.read<std::string>("name").value_or("");
    reader.finish();
    if (form != kArchiveFormat) throw Error(ErrorCode::Unprocessable, format("The archive's format {} is not supported.", form));
    std::vector<std::string> missing;
    for (const std::string& storage : replaced_) {
      if (std::ranges::find(request_.storages, storage) == request_.storages.end()) missing.push_back(storage);
    }
    if (!missing.empty()) {
      throw Error(ErrorCode::Unprocessable, format("The archive contains {}, and this workspace has no such storage. It has: {}.",
                                                   joined(missing), joined(request_.storages)));
    }
    if (replaced_.empty()) throw Error(ErrorCode::Unprocessable, "The archive contains no storage.");
    if (!request_.force) refuseIfThereIsWork();
    reader_.setStorages(replaced_);
  }

  void refuseIfThereIsWork() const {
    for (const std::string& storage : replaced_) {
      auto work = namesOfWorkIn(parts_.root / storage.substr(1), parts_.root / "etc/skel", parts_.gitConfig);
      if (work.empty()) continue;
      throw Error(
          ErrorCode::Conflict,
          format("{} already contains files ({} …), which the import would replace. Use force to replace them.", storage, joined(work)));
    }
  }

  awaitable<void> holdInstance() {
    importing_ = true;
    try {
      co_await parts_.hold.hold(std::string(kHoldName), std::string(kHoldReason));
    } catch (...) {
      importing_ = false;
      throw;
    }
  }

  awaitable<void> releaseInstance() {
    importing_ = false;
    try {
      co_await parts_.hold.release();
      co_await parts_.vscode.waitUntilReady(Deadline::after(kVscodePatience));
    } catch (const Error& error) {
      log::warning("failed to release the instance after an import", {{"reason", error.message()}});
    }
  }

  const ArchiveParts& parts_;
  net::Exchange& exchange_;
  ImportRequest request_;
  bool& importing_;
  LoopPipe in_;
  ArchiveReader reader_;
  transfer::StopFlag stop_;
  std::string manifest_;
  std::vector<std::string> replaced_;
  std::string workspace_;
  bool cut_ = false;      // the client's stream ended early
  bool decided_ = false;  // from then on the archive's files are the current ones
};

}  // namespace

awaitable<void> Archives::handleImport(net::Exchange& exchange) {
  if (importing_) co_return co_await respondReason(exchange, 409, "Another import is running in this workspace.");
  Activity::Connection connection(parts_.activity);
  parts_.activity.touch();
  std::optional<Error> wrong;
  boost::json::object response;
  try {
    if (!refusal_.empty()) throw Error(ErrorCode::Unavailable, refusal_);
    ImportRequest request = readRequest(exchange.head().query());
    std::ranges::move(keptFolders(parts_), std::back_inserter(request.excluded));
    ImportSession session(parts_, exchange, std::move(request), importing_);
    co_await session.run();
    response = session.response();
    log::info("imported", {{"from", response["workspace"].as_string().c_str()}, {"files", response["files"].as_int64()}});
  } catch (const Error& error) {
    wrong = error;
    log::warning("an import failed", {{"reason", error.message()}});
  }
  if (!wrong) co_return co_await respondJson(exchange, 200, std::move(response));
  co_await respondError(exchange, *wrong);
  co_await readOn(exchange);
}

}  // namespace swarm::agent
