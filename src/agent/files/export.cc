// Export: the walk | libarchive | Zstandard | the client, with a reader of the same bytes beside it.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <thread>

#include "agent/archive/format/reader.h"
#include "agent/archive/tree_export.h"
#include "agent/files/archives.h"
#include "agent/files/blocking_pipe.h"
#include "agent/server/responses.h"
#include "async/blocking_work.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "model/archive.h"
#include "model/codec/codec.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kMaxRequest = 64 * 1024;
constexpr std::size_t kPiece = 256 * 1024;

struct ExportRequest {
  boost::json::object workspace;      ///< the manifest's members
  std::vector<std::string> storages;  ///< absolute
  std::vector<std::string> excluded;  ///< absolute; mounts to leave out
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

ExportRequest withKept(const ArchiveParts& parts, ExportRequest request) {
  std::ranges::move(keptFolders(parts), std::back_inserter(request.excluded));
  return request;
}

std::string manifestOf(const ExportRequest& request) {
  boost::json::object manifest = request.workspace;
  manifest["format"] = kArchiveFormat;
  manifest["createdAt"] = formatTime(RealClock().now());
  manifest["storages"] = toJson(request.storages);
  return boost::json::serialize(manifest) + "\n";
}

/// One running export. Lives in handleExport's frame until its threads have ended.
class ExportSession {
 public:
  ExportSession(const ArchiveParts& parts, Guest& guest, net::Exchange& exchange, ExportRequest request)
      : parts_(parts),
        guest_(guest),
        exchange_(exchange),
        request_(withKept(parts, std::move(request))),
        storages_(transfer::openStorages({request_.storages, request_.excluded}, parts.root)),
        out_(parts.exec.executor, LoopPipe::Direction::ToLoop) {}

  awaitable<void> run() {
    async::BlockingWork work(parts_.exec.executor, "archive", [this] { write(); });
    guest_.whenNotified([this] { fail(guest_.reason()); });
    std::exception_ptr cancelled;
    try {
      co_await send();
    } catch (...) {
      cancelled = std::current_exception();
      fail("It was cancelled.");
    }
    out_.loop.close();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    try {
      co_await work.wait();
    } catch (const transfer::Stopped&) {
      // The reason is already known.
    } catch (const std::exception&) {
      fail(describeCurrentException());
    }
    if (cancelled) std::rethrow_exception(cancelled);
    co_await end();
  }

 private:
  /// Keeps the first reason. The data frame must not end as if the export had succeeded.
  void fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
    stop_.stop();
  }

  /// On the thread. A second thread reads the output back, as an import would: an unreadable archive must be detected here.
  void write() {
    Descriptor out = std::move(out_.thread);  // closing it ends the response, also when this throws
    auto [reading, writing] = threadPipe();
    std::string digest, read_digest;
    std::exception_ptr unreadable;
    std::thread reader([&, input = std::move(reading)]() mutable {
      try {
        read_digest = readBack(input);
      } catch (...) {
        unreadable = std::current_exception();
      }
      input.reset();
    });
    std::exception_ptr failure;
    bool cut = false;  // by the reader, or the client
    try {
      digest = writeAll([&](std::string_view bytes) {
        writeBlocking(out, bytes);
        writeBlocking(writing, bytes);
      });
    } catch (const transfer::Stopped&) {
      cut = true;
      failure = std::current_exception();
    } catch (...) {
      failure = std::current_exception();
    }
    writing.reset();
    reader.join();
    // If reading back failed, the write failed because of it.
    if (unreadable && !stop_.stopped() && (!failure || cut)) std::rethrow_exception(unreadable);
    if (failure) std::rethrow_exception(failure);
    if (digest != read_digest) throw Error(ErrorCode::Internal, "The archive read back does not match what was written.");
    notes_.digest = digest;
  }

  std::string writeAll(ByteSink sink) {
    ArchiveWriter writer(std::move(sink));
    writer.addText(kArchiveManifest, manifestOf(request_));
    exportTree(storages_, writer, notes_, stop_);
    writer.addText(kArchiveNotes, boost::json::serialize(toJson(notes_)) + "\n");
    writer.finish();
    return writer.digest();
  }

  std::string readBack(const Descriptor& input) const {
    ArchiveReader reader([&] { return readBlocking(input); });
    reader.readManifest();
    reader.setStorages(request_.storages);
    while (reader.next()) {
    }
    return reader.digest();
  }

  awaitable<void> send() {
    std::vector<char> piece(kPiece);
    for (;;) {
      boost::system::error_code error;
      auto bytes = co_await out_.loop.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
      if (error || bytes == 0 || !failure_.empty()) co_return;
      parts_.activity.touch();
      if (co_await exchange_.write({piece.data(), bytes})) continue;
      gone_ = true;
      co_return fail("The client disconnected.");
    }
  }

  /// A complete archive ends with its mark and the end of the response. A failed one has the reason in its mark, and no end.
  awaitable<void> end() {
    if (gone_) co_return;
    notes_.failure = failure_;
    co_await exchange_.write(makeEndMark(notes_));
    if (failure_.empty()) co_return co_await exchange_.finish();
    log::warning("an export failed", {{"reason", failure_}});
    exchange_.stream().close();
  }

  const ArchiveParts& parts_;
  Guest& guest_;
  net::Exchange& exchange_;
  ExportRequest request_;
  std::vector<transfer::Storage> storages_;
  transfer::StopFlag stop_;
  LoopPipe out_;
  ArchiveNotes notes_;  // owned by the thread until that has ended
  std::string failure_;
  bool gone_ = false;
};

}  // namespace

std::vector<std::string> keptFolders(const ArchiveParts& parts) {
  namespace fs = std::filesystem;
  std::vector<std::string> folders;
  for (const std::string& kept : parts.kept) {
    fs::path path = parts.root;
    bool is_folder = true;
    for (const fs::path& name : fs::path(kept).relative_path()) {
      std::error_code ignored;
      path /= name;
      is_folder = is_folder && fs::is_directory(fs::symlink_status(path, ignored));
    }
    if (is_folder) folders.push_back(kept);
  }
  return folders;
}

awaitable<void> Archives::handleExport(net::Exchange& exchange) {
  Guest guest(parts_.hold);
  ExportRequest request = readRequest(parseJson(co_await net::readAll(exchange.body(), kMaxRequest)));
  if (!refusal_.empty()) throw Error(ErrorCode::Unavailable, refusal_);
  for (const std::string& storage : request.storages) {
    if (!std::filesystem::is_directory(parts_.root / storage.substr(1)))
      throw Error(ErrorCode::Unprocessable, format("The folder {} does not exist in this workspace.", storage));
  }
  co_await parts_.exec.whenThawed();
  if (guest.notified()) co_return co_await respondReason(exchange, 503, guest.reason());
  Activity::Connection connection(parts_.activity);
  parts_.activity.touch();
  ExportSession session(parts_, guest, exchange, std::move(request));
  co_await exchange.begin(200, {{"Content-Type", std::string(kArchiveType)}, {"Cache-Control", "no-store"}});
  co_await session.run();
}

}  // namespace swarm::agent
