// The two calls of SwarmClient that carry archives.
#include "model/archive.h"

#include "async/deadline.h"
#include "base/text/json_access.h"
#include "client/connection.h"
#include "client/impl.h"
#include "model/codec/codec.h"

namespace swarm {
namespace {

constexpr std::chrono::minutes kSilence{15};

/// The last bytes of a stream, with its end mark.
class Tail {
 public:
  void add(std::string_view piece) {
    bytes_ += piece;
    if (bytes_.size() > 4 * kLongestEndMark) bytes_.erase(0, bytes_.size() - kLongestEndMark);
  }
  std::optional<ArchiveNotes> mark() const { return findEndMark(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace

ArchiveReport SwarmClient::exportInstance(const std::string& ref, const std::function<void(std::string_view)>& sink,
                                          const std::stop_token& stop) {
  auto& connection = impl_->connection;
  net::HttpRequest request;
  request.target = client::instancePath(ref, "/export");
  request.headers = connection.authorization();
  const Deadline soon = Deadline::after(connection.config().timeout);
  client::OnLoop<net::HttpExchange> exchange(connection, connection.run(connection.http().open(std::move(request), soon), stop));
  if (exchange->status() >= 400)
    throw client::errorFromResponse(exchange->status(), exchange->headers(), connection.run(client::readRest(*exchange, soon), stop));
  ArchiveReport report;
  Tail tail;
  std::optional<Error> cut;
  for (;;) {
    std::string piece;
    try {
      piece = connection.run(exchange->read(Deadline::after(kSilence)), stop);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled && stop.stop_requested()) throw;
      cut = error;
    }
    if (piece.empty()) break;
    report.bytes += static_cast<std::int64_t>(piece.size());
    tail.add(piece);
    sink(piece);
  }
  auto mark = tail.mark();
  if (mark && !mark->failure.empty()) throw Error(ErrorCode::UpstreamFailed, "The archive is incomplete: " + mark->failure);
  if (cut) throw Error(ErrorCode::Unavailable, "The archive is incomplete: the connection was lost.").withCause(cut->message());
  if (!mark) throw Error(ErrorCode::UpstreamFailed, "The archive is incomplete: its end is missing.");
  report.left = std::move(*mark);
  return report;
}

ArchiveReport SwarmClient::importInstance(const std::string& ref, const std::function<std::string()>& source, bool force,
                                          const std::stop_token& stop) {
  auto& connection = impl_->connection;
  net::HttpRequest request;
  request.method = "PUT";
  request.target = client::instancePath(ref, force ? "/import?force=true" : "/import");
  request.headers = connection.authorization();
  request.contentType = kArchiveType;
  // Reading blocks the thread of the loop, which has nothing else to do.
  request.bodySource = [&source](Deadline) -> async::awaitable<std::string> { co_return source(); };
  net::HttpResponse response = connection.run(connection.http().send(std::move(request), Deadline::never()), stop);
  if (response.status >= 400) throw client::errorFromResponse(response.status, response.headers, response.body);
  boost::json::value result = parseJson(response.body, "The server's response");
  ArchiveReport report;
  report.workspace = stringAt(result, "workspace");
  report.files = integerAt(result, "files");
  report.bytes = integerAt(result, "bytes");
  report.left = archiveNotesFromJson(result);
  return report;
}

}  // namespace swarm
