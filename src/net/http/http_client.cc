// HttpClient: pooled connections, one request at a time on each.
#include "net/http/http_client.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <deque>

#include "base/error.h"
#include "base/text/format.h"
#include "net/http/grammar/http_format.h"

namespace swarm::net {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kMinPieceBytes = 4 * 1024;  // a buffer is cleared for each read, and a chunk may be one byte

struct Connection {
  explicit Connection(StreamPtr opened) : stream(std::move(opened)) {}
  StreamPtr stream;
  ReadBuffer buffer;
  bool reused = false;
  SteadyTime idle_since{};
};
using ConnectionPtr = std::unique_ptr<Connection>;

bool isRepeatable(const HttpRequest& request) {
  if (request.bodySource) return false;
  for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (request.method == method) return true;
  }
  return false;
}

[[noreturn]] void throwTransport(const std::string& endpoint, error_code error, std::string_view when) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error == asio::error::timed_out)
    throw Error(ErrorCode::DeadlineExceeded, format("Timed out waiting for a complete response from {}.", endpoint));
  if (error == asio::error::message_size)
    throw Error(ErrorCode::UpstreamFailed, format("The header section of the response from {} is too large.", endpoint));
  if (error == boost::system::errc::bad_message) {
    throw Error(ErrorCode::UpstreamFailed, format("The response from {} is malformed: bad chunked encoding.", endpoint));
  }
  const std::string reason = error == asio::error::eof ? "closed by the peer" : error.message();
  throw Error(ErrorCode::Unavailable, format("The connection to {} was lost {}: {}.", endpoint, when, reason));
}

void appendHeaders(std::string& out, const Headers& headers) {
  for (const Header& header : headers) {
    if (!isSendable(header))
      throw Error(ErrorCode::InvalidArgument, format("The header {} contains a forbidden character.", percentEncode(header.name)));
    appendField(out, header.name, header.value);
  }
}

std::string formatHead(const HttpRequest& request, const HttpClientOptions& options) {
  if (!isSendableMethod(request.method) || !isSendableTarget(request.target)) {
    throw Error(ErrorCode::InvalidArgument, "The request's method or target contains a forbidden character.");
  }
  std::string out;
  out.reserve(512);
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  appendHeaders(out, {{"Host", options.host}});
  appendHeaders(out, options.headers);
  appendHeaders(out, request.headers);
  if (!request.contentType.empty()) appendHeaders(out, {{"Content-Type", request.contentType}});
  if (request.bodySource) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    appendField(out, "Content-Length", std::to_string(request.body.size()));
  }
  return out.append("\r\n");
}

// The response to one request, with its connection.
class ClientExchange final : public HttpExchange {
 public:
  ClientExchange(std::string endpoint, std::function<void(ConnectionPtr)> give_back, ConnectionPtr connection, const ResponseHead& head)
      : endpoint_(std::move(endpoint)),
        give_back_(std::move(give_back)),
        connection_(std::move(connection)),
        status_(head.status),
        upgraded_(head.upgraded),
        keep_alive_(head.keepAlive && !head.upgraded),
        body_(*connection_->stream, connection_->buffer, head.body) {
    headers_.reserve(head.headers.all().size());
    for (const HeaderView& field : head.headers.all()) headers_.push_back({std::string(field.name), std::string(field.value)});
    if (!upgraded_) giveBackWhenDone();
  }

  int status() const override { return status_; }
  const Headers& headers() const override { return headers_; }
  bool upgraded() const override { return upgraded_; }
  const BodyFraming& framing() const { return body_.framing(); }
  bool done() const { return body_.done(); }

  awaitable<std::string> read(Deadline deadline) override {
    std::string piece;
    if (!connection_ || body_.done()) co_return piece;
    // The stream's timer ends a wait only, and a peer that always has data makes none.
    if (deadline.hasPassed()) fail(asio::error::timed_out);
    connection_->stream->setDeadline(deadline.time());
    piece.resize(next_piece_);
    const std::size_t bytes = co_await readInto(asio::buffer(piece));
    next_piece_ = bytes == piece.size() ? kPieceBytes : std::max(bytes, kMinPieceBytes);
    piece.resize(bytes);
    co_return piece;
  }

  // The caller has set the stream's deadline.
  awaitable<std::size_t> readInto(asio::mutable_buffer buffer) {
    const IoResult got = co_await body_.readSome(buffer);
    if (got.error) fail(got.error);
    giveBackWhenDone();
    co_return got.bytes;
  }

  StreamPtr takeStream() override {
    if (!connection_) throw Error(ErrorCode::Internal, "The connection of a finished exchange cannot be taken over.");
    const ConnectionPtr connection = std::move(connection_);
    connection->stream->setDeadline(SteadyTime::max());
    return prepend(std::string(connection->buffer.data()), std::move(connection->stream));
  }

 private:
  [[noreturn]] void fail(error_code error) {
    connection_.reset();
    throwTransport(endpoint_, error, "in the middle of a response");
  }

  void giveBackWhenDone() {
    if (!body_.done() || !connection_) return;
    if (keep_alive_) {
      give_back_(std::move(connection_));
    } else {
      connection_.reset();
    }
  }

  std::string endpoint_;
  std::function<void(ConnectionPtr)> give_back_;
  ConnectionPtr connection_;
  int status_;
  bool upgraded_;
  bool keep_alive_;
  Headers headers_;
  BodyReader body_;
  std::size_t next_piece_ = kMinPieceBytes;
};

awaitable<error_code> writeSource(Stream& stream, const HttpRequest& request, Deadline deadline) {
  while (true) {
    const std::string piece = co_await request.bodySource(deadline);
    // A response before the end of the request is a refusal: the peer will not read the rest. (Under TLS, what arrived may be none.)
    if (!stream.isTls() && !stream.isIdle()) co_return error_code(asio::error::broken_pipe);
    const std::string size = piece.empty() ? "0\r\n" : format("{:x}\r\n", piece.size());
    const asio::const_buffer pieces[] = {asio::buffer(size), asio::buffer(piece), asio::buffer("\r\n", 2)};
    const IoResult written = co_await stream.writeAll(pieces);
    if (written.error || piece.empty()) co_return written.error;
  }
}

awaitable<error_code> writeRequest(Stream& stream, const std::string& head, const HttpRequest& request, Deadline deadline) {
  const asio::const_buffer pieces[] = {asio::buffer(head), asio::buffer(request.body)};
  const IoResult written = co_await stream.writeAll(pieces);
  if (written.error || !request.bodySource) co_return written.error;
  co_return co_await writeSource(stream, request, deadline);
}

// Reads the head of the final response, past interim ones, into `head`: views into the connection's buffer. Returns an error that occurs
// before the first byte of any response, for the caller to handle; throws all others.
awaitable<error_code> readResponse(Connection& connection, const std::string& method, const std::string& endpoint, ResponseHead& head) {
  for (int interim = 0; interim <= kMaxInterimResponses; ++interim) {
    const auto size = co_await readHead(*connection.stream, connection.buffer);
    const bool nothing_came = interim == 0 && connection.buffer.empty();
    if (!size || *size == 0) {
      const error_code error = size ? error_code(asio::error::eof) : size.error();
      if (nothing_came) co_return error;
      throwTransport(endpoint, error, "in the middle of a response");
    }
    if (const auto parsed = parseResponseHead(connection.buffer.data().substr(0, *size), method, head); !parsed) {
      throw Error(ErrorCode::UpstreamFailed, format("{} sent an invalid HTTP response: {}.", endpoint, parsed.error().reason));
    }
    connection.buffer.consume(*size);
    if (head.status >= 200 || head.status == 101) co_return error_code();
  }
  throw Error(ErrorCode::UpstreamFailed, format("{} sent only interim responses.", endpoint));
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(Connector its_connect, HttpClientOptions its_options) : connect(std::move(its_connect)), options(std::move(its_options)) {
    if (options.name.empty()) options.name = options.host;
  }

  // An idle connection that is still open, or nothing. Tries the most recently used first: it is the least likely to be stale.
  ConnectionPtr takeIdle() {
    const SteadyTime oldest = std::chrono::steady_clock::now() - options.idleTimeout;
    while (!idle.empty()) {
      ConnectionPtr connection = std::move(idle.back());
      idle.pop_back();
      if (connection->idle_since >= oldest && connection->stream->isIdle()) {
        connection->reused = true;
        return connection;
      }
    }
    return nullptr;
  }

  void putIdle(ConnectionPtr connection) {
    if (!connection->buffer.empty()) return;  // unsolicited bytes
    connection->stream->setDeadline(SteadyTime::max());
    connection->idle_since = std::chrono::steady_clock::now();
    idle.push_back(std::move(connection));
    const SteadyTime oldest = idle.back()->idle_since - options.idleTimeout;
    while (!idle.empty() && (idle.size() > options.maxIdle || idle.front()->idle_since < oldest)) idle.pop_front();
  }

  awaitable<std::unique_ptr<ClientExchange>> exchange(const HttpRequest& request, Deadline deadline);

  Connector connect;
  HttpClientOptions options;
  std::deque<ConnectionPtr> idle;
};

HttpClient::HttpClient(Connector connect, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(connect), std::move(options))) {}

HttpClient::~HttpClient() = default;

void HttpClient::dropIdle() { impl_->idle.clear(); }

awaitable<std::unique_ptr<ClientExchange>> HttpClient::Impl::exchange(const HttpRequest& request, Deadline deadline) {
  const std::string head_text = formatHead(request, options);
  ConnectionPtr connection = takeIdle();
  while (true) {
    if (!connection) connection = std::make_unique<Connection>(co_await connect(deadline));
    connection->stream->setDeadline(deadline.time());
    error_code error = co_await writeRequest(*connection->stream, head_text, request, deadline);
    ResponseHead head;
    // A write that failed because the peer refused the body may still have a response waiting.
    if (error != asio::error::timed_out && error != asio::error::operation_aborted) {
      const error_code read_error = co_await readResponse(*connection, request.method, options.name, head);
      if (!read_error) {
        const bool cut = static_cast<bool>(error);
        if (cut) head.keepAlive = false;
        auto give_back = [self = shared_from_this()](ConnectionPtr used) { self->putIdle(std::move(used)); };
        co_return std::make_unique<ClientExchange>(options.name, std::move(give_back), std::move(connection), head);
      }
      if (!error) error = read_error;
    }
    const bool stale = connection->reused && error != asio::error::timed_out && error != asio::error::operation_aborted;
    if (!stale || !isRepeatable(request)) throwTransport(options.name, error, "before it answered");
    connection.reset();  // retry once, on a new connection
  }
}

awaitable<std::unique_ptr<HttpExchange>> HttpClient::open(HttpRequest request, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  std::unique_ptr<HttpExchange> exchange = co_await impl->exchange(request, deadline);
  co_return exchange;
}

awaitable<HttpResponse> HttpClient::send(HttpRequest request, Deadline deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  const std::unique_ptr<ClientExchange> exchange = co_await impl->exchange(request, deadline);
  HttpResponse response{exchange->status(), exchange->headers(), {}};
  if (exchange->upgraded())
    throw Error(ErrorCode::UpstreamFailed, format("{} switched protocols without a request to do so.", impl->options.name));
  auto check = [&](std::uint64_t size) {
    if (size <= impl->options.maxBody) return;
    throw Error(ErrorCode::UpstreamFailed,
                format("The response from {} is larger than {} bytes.", impl->options.name, impl->options.maxBody));
  };
  const bool known = exchange->framing().kind == BodyKind::Length;
  if (known) check(exchange->framing().length);
  while (!exchange->done()) {
    const std::size_t size = response.body.size();
    const std::size_t left = known ? static_cast<std::size_t>(exchange->framing().length) - size : kPieceBytes;
    response.body.resize(size + std::min(left, std::max(kPieceBytes, size)));
    const std::size_t bytes = co_await exchange->readInto(asio::buffer(response.body.data() + size, response.body.size() - size));
    response.body.resize(size + bytes);
    check(response.body.size());
  }
  co_return response;
}

}  // namespace swarm::net
