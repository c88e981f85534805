// The steps of one exchange: small request bodies are read first (so that the request can be repeated); the head and such a body are sent
// in one write; a second coroutine sends a large body while this one reads the response, because an application may respond before it has
// read everything.
#include "gateway/proxy/proxy.h"

#include <array>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "gateway/proxy/body_upload.h"
#include "net/http/grammar/relaxed_head.h"

namespace swarm::gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kPieceBytes = 128 * 1024;
constexpr std::size_t kFirstPieceBytes = 16 * 1024;  // an event stream may be silent for hours, and its buffer with it
constexpr std::size_t kSmallBodyBytes = 64 * 1024;
constexpr std::size_t kSpareScratches = 64;
constexpr std::chrono::milliseconds kLinger{5'000};
/// An idle connection that was used this recently counts as open, if repeating the request is harmless; otherwise its state is checked.
constexpr std::chrono::milliseconds kSurelyOpen{50};
/// An application measures its keep-alive timeout at its own end, and our request needs time to arrive.
constexpr std::chrono::seconds kKeepAliveMargin{1};
/// An application may take any time to respond, but must read what it is sent. A debugger may have stopped it.
constexpr std::chrono::minutes kUpstreamPatience{30};

std::string brokenBody(const net::error_code& error) {
  if (error == boost::system::errc::bad_message) return "The chunked encoding of the application's response is malformed.";
  return "The application closed the connection in the middle of its response.";
}

bool isIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
}

}  // namespace

/// Buffers that outlive an exchange, so that a warm gateway allocates nothing.
struct Proxy::Scratch {
  std::string request;
  std::string response;
  std::vector<char> piece;
  std::string mended;  // the head that `head` views, where the application's own broke the grammar
  net::ResponseHead head;

  /// `read`: the bytes that the last read gave. One that filled the buffer makes it larger.
  asio::mutable_buffer pieceBuffer(std::size_t read) {
    if (piece.empty() || read == piece.size()) piece.resize(read == 0 ? kFirstPieceBytes : kPieceBytes);
    return asio::buffer(piece);
  }
};

struct Proxy::Lease {
  explicit Lease(Proxy& owner) : proxy(owner) {
    if (proxy.spare_.empty()) {
      scratch = std::make_unique<Scratch>();
    } else {
      scratch = std::move(proxy.spare_.back());
      proxy.spare_.pop_back();
    }
    scratch->request.clear();
    scratch->response.clear();
  }
  ~Lease() {
    if (proxy.spare_.size() < kSpareScratches) proxy.spare_.push_back(std::move(scratch));
    proxy.counters_.spareBuffers.store(proxy.spare_.size(), std::memory_order_relaxed);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Proxy& proxy;
  std::unique_ptr<Scratch> scratch;
};

struct Proxy::Transfer {
  net::Exchange& exchange;
  Target& target;
  const ForwardFacts& facts;
  Lease lease;
  LiveExchange live{};
  std::unique_ptr<UpstreamConnection> upstream{};
  std::shared_ptr<BodyUpload> upload{};
  std::string reason{};  ///< why connecting, or reading the response, failed
  bool upgrade = false;
  bool sentToClient = false;  ///< part of the final response was sent: no other response is possible

  Scratch& scratch() { return *lease.scratch; }
  std::string_view method() const { return exchange.head().method; }
};

Proxy::Proxy(ProxyLimits limits, const Clock& clock, UpstreamConnector& connector, LiveList& live)
    : limits_(limits), clock_(clock), connector_(connector), live_(live) {}

Proxy::~Proxy() = default;

void Proxy::dropSpare() {
  spare_.clear();
  counters_.spareBuffers.store(0, std::memory_order_relaxed);
}

async::awaitable<ForwardResult> Proxy::forward(net::Exchange& exchange, std::shared_ptr<Target> target,
                                               std::shared_ptr<VerifiedCookie> cookie, const ForwardFacts& facts) {
  counters_.requests.fetch_add(1, std::memory_order_relaxed);
  Transfer transfer{.exchange = exchange, .target = *target, .facts = facts, .lease = Lease(*this)};
  transfer.live.epoch = target->route->epoch;
  transfer.live.exchange = &exchange;
  transfer.live.target = std::move(target);
  transfer.live.cookie = std::move(cookie);
  live_.add(transfer.live);
  ForwardResult result;
  try {
    result = co_await run(transfer);
  } catch (...) {
    // Unexpected: the data plane uses error codes. The cause may be lack of memory; only this exchange ends.
    result = {ForwardOutcome::UpstreamBroke, describeCurrentException()};
  }
  if (result.outcome != ForwardOutcome::Responded) counters_.failures.fetch_add(1, std::memory_order_relaxed);
  if (transfer.upload) {
    // The upload reads from the exchange, and must end before it.
    if (transfer.upstream) transfer.upstream->stream->close();
    co_await transfer.upload->settle(exchange.stream(), kLinger);
  }
  if (transfer.sentToClient && result.outcome != ForwardOutcome::Responded) {
    if (!result.reason.empty())
      log::info("a response of a workspace was truncated", {{"host", transfer.target.label}, {"reason", result.reason}});
    // Part of the response was sent: only a closed connection shows the client that it is incomplete.
    exchange.respondedRaw(net::Exchange::Reuse::Close);
    result.outcome = ForwardOutcome::Responded;
  }
  co_return result;
}

ForwardResult Proxy::fail(Transfer& transfer, ForwardOutcome outcome, std::string reason) {
  // A plain close could mean the end of one direction only.
  if (transfer.upstream) transfer.upstream->stream->abort();
  if (transfer.live.cut == LiveExchange::Cut::RouteChanged) return {ForwardOutcome::RouteChanged, "The workspace was stopped or replaced."};
  if (transfer.live.cut == LiveExchange::Cut::SignedOut) return {ForwardOutcome::SignedOut, "You have been signed out."};
  if (transfer.live.cut == LiveExchange::Cut::ClientLeft || (transfer.upload && transfer.upload->clientFailed())) {
    // The client has left.
    transfer.exchange.respondedRaw(net::Exchange::Reuse::Close);
    return {};
  }
  return {outcome, std::move(reason)};
}

async::awaitable<ForwardResult> Proxy::run(Transfer& transfer) {
  const auto& head = transfer.exchange.head();
  auto& request = transfer.scratch().request;
  transfer.upgrade = isForwardedUpgrade(head);
  appendUpstreamRequest(head, transfer.facts, request);
  const bool has_body = head.body.kind != net::BodyKind::None && !(head.body.kind == net::BodyKind::Length && head.body.length == 0);
  const bool stream_body = has_body && (head.body.kind != net::BodyKind::Length || head.body.length > kSmallBodyBytes);
  if (has_body && !stream_body && !co_await takeSmallBody(transfer)) {
    transfer.exchange.respondedRaw(net::Exchange::Reuse::Close);
    co_return ForwardResult{};
  }

  // An application may close an idle connection at the moment of its use. The request is then repeated once on a new connection, as
  // browsers do. A streamed body cannot be repeated, and always gets a new connection.
  const auto trusted = isIdempotent(head.method) ? kSurelyOpen : std::chrono::milliseconds(0);
  for (bool allow_reuse = !stream_body;; allow_reuse = false) {
    const auto now = clock_.steadyNow();
    transfer.target.lastUsed = now;
    if (allow_reuse) transfer.upstream = transfer.target.takeIdle(now, limits_.idleTimeout, trusted);
    if (!transfer.upstream && !co_await connect(transfer)) co_return fail(transfer, ForwardOutcome::ConnectFailed, transfer.reason);
    if (transfer.live.cut != LiveExchange::Cut::No) co_return fail(transfer, ForwardOutcome::RouteChanged, {});
    transfer.live.upstream = transfer.upstream->stream.get();

    const std::array<asio::const_buffer, 1> buffers{asio::buffer(request)};
    // A failed write is not final: the application may have responded and closed before it read everything.
    const auto written = co_await transfer.upstream->stream->writeAll(buffers);
    if (stream_body && !written.error) {
      // From here on, a cancelled exchange must wait for the upload, which reads from it.
      co_await asio::this_coro::throw_if_cancelled(false);
      transfer.upload = BodyUpload::start(transfer.exchange, *transfer.upstream->stream, head.body.kind == net::BodyKind::Chunked);
    }

    const auto got = co_await readFinalHead(transfer);
    if (got == HeadResult::Final) co_return co_await relay(transfer);
    if (got == HeadResult::Upgraded) co_return co_await tunnel(transfer);
    if (got == HeadResult::Bad) co_return fail(transfer, ForwardOutcome::BadResponse, transfer.reason);
    const bool stale = transfer.upstream->reused && got == HeadResult::NothingCame && transfer.live.cut == LiveExchange::Cut::No;
    if (!stale) co_return fail(transfer, ForwardOutcome::UpstreamBroke, transfer.reason);
    counters_.retries.fetch_add(1, std::memory_order_relaxed);
    transfer.live.upstream = nullptr;
    transfer.upstream.reset();
  }
}

async::awaitable<bool> Proxy::takeSmallBody(Transfer& transfer) {
  auto& request = transfer.scratch().request;
  const auto length = static_cast<std::size_t>(transfer.exchange.head().body.length);
  const auto begin = request.size();
  request.resize(begin + length);
  std::size_t have = 0;
  while (have < length) {
    const auto read = co_await transfer.exchange.body().readSome(asio::buffer(request.data() + begin + have, length - have));
    if (read.error || read.bytes == 0) co_return false;
    have += read.bytes;
  }
  co_return true;
}

async::awaitable<bool> Proxy::connect(Transfer& transfer) {
  try {
    auto connection = std::make_unique<UpstreamConnection>();
    connection->stream = co_await connector_.connect(transfer.target.route, transfer.target.port, Deadline::after(limits_.connectTimeout));
    connection->stream->setWritePatience(kUpstreamPatience);
    transfer.upstream = std::move(connection);
    co_return true;
  } catch (const Error& error) {
    transfer.reason = error.message();
  } catch (const std::exception& error) {
    transfer.reason = "The workspace could not be reached.";
    log::warning("connecting to a workspace failed", {{"host", transfer.target.label}, {"error", error.what()}});
  }
  co_return false;
}

async::awaitable<Proxy::HeadResult> Proxy::readFinalHead(Transfer& transfer) {
  auto& upstream = *transfer.upstream;
  auto& head = transfer.scratch().head;
  for (int interims = 0; interims <= net::kMaxInterimResponses; ++interims) {
    const auto size = co_await net::readHead(*upstream.stream, upstream.buffer, net::Grammar::Relaxed);
    if (!size || *size == 0) co_return noHead(transfer, size ? net::error_code() : size.error());
    if (!parseHead(transfer, upstream.buffer.data().substr(0, *size))) co_return HeadResult::Bad;
    upstream.buffer.consume(*size);
    if (head.status == 101 && transfer.upgrade) co_return HeadResult::Upgraded;
    if (head.status == 101) transfer.reason = "The application switched to another protocol, which the request did not allow.";
    if (head.status == 101) co_return HeadResult::Bad;
    if (head.status >= 200) co_return HeadResult::Final;
    upstream.reused = false;  // it has responded: a later failure does not mean that the connection was stale
    if (transfer.exchange.head().minorVersion == 0) continue;
    auto& interim = transfer.scratch().response;
    interim.clear();
    appendInterimResponse(head, interim);
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(interim)};
    if ((co_await transfer.exchange.stream().writeAll(buffers)).error) co_return HeadResult::Broken;
  }
  transfer.reason = "The application sent only interim responses.";
  co_return HeadResult::Bad;
}

Proxy::HeadResult Proxy::noHead(Transfer& transfer, net::error_code error) {
  const bool nothing_came = transfer.upstream->buffer.data().empty();
  if (error == boost::system::errc::message_size) {
    transfer.reason = format("The head of the application's response is larger than {} KiB.", net::kMaxHeadBytes / 1024);
    return HeadResult::Bad;
  }
  transfer.reason = nothing_came ? "The application closed the connection without a response."
                                 : "The application closed the connection in the head of its response.";
  return nothing_came ? HeadResult::NothingCame : HeadResult::Broken;
}

/// Parses a response's head, after repair where the grammar requires it. False: transfer.reason names the fault.
bool Proxy::parseHead(Transfer& transfer, std::string_view bytes) {
  auto& scratch = transfer.scratch();
  scratch.head.headers.clear();
  auto parsed = net::parseResponseHead(bytes, transfer.method(), scratch.head);
  if (parsed) return true;
  if (auto mended = net::mendResponseHead(bytes)) {
    scratch.mended = std::move(*mended);
    scratch.head.headers.clear();
    if (net::parseResponseHead(scratch.mended, transfer.method(), scratch.head)) return true;
  }
  transfer.reason = bytes.starts_with("HTTP/") ? format("The application's response is malformed: {}.", parsed.error().reason)
                                               : std::string("The application's response is not HTTP.");
  return false;
}

async::awaitable<ForwardResult> Proxy::relay(Transfer& transfer) {
  auto& exchange = transfer.exchange;
  auto& upstream = *transfer.upstream;
  auto& head = transfer.scratch().head;
  auto& out = transfer.scratch().response;
  const int client_version = exchange.head().minorVersion;
  const bool upload_pending = transfer.upload && !transfer.upload->ended();
  const auto plan = planClientResponse(head, client_version, exchange.head().keepAlive && !upload_pending);
  const bool reusable = head.keepAlive && head.body.kind != net::BodyKind::UntilClose;
  if (head.keepAliveTimeout) upstream.maxIdle = *head.keepAliveTimeout - kKeepAliveMargin;
  out.clear();
  appendClientResponse(head, plan, client_version, transfer.facts.response, out);
  transfer.sentToClient = true;

  bool complete = false;
  if (const auto ahead = upstream.buffer.data();
      head.body.kind == net::BodyKind::None || (head.body.kind == net::BodyKind::Length && ahead.size() >= head.body.length)) {
    // The body is complete: one write.
    const auto length = static_cast<std::size_t>(head.body.length);
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(out), asio::const_buffer(ahead.data(), length)};
    complete = !(co_await exchange.stream().writeAll(std::span(buffers.data(), length == 0 ? 1 : 2))).error;
    upstream.buffer.consume(length);
  } else {
    complete = co_await relayBody(transfer, plan);
  }

  bool at_boundary = true;
  if (transfer.upload) {
    if (!transfer.upload->ended()) upstream.stream->close();
    at_boundary = co_await transfer.upload->settle(exchange.stream(), kLinger);
  }
  if (!complete) co_return fail(transfer, ForwardOutcome::UpstreamBroke, transfer.reason);
  exchange.respondedRaw(plan.keepAlive && at_boundary ? net::Exchange::Reuse::KeepAlive : net::Exchange::Reuse::Close);
  transfer.live.upstream = nullptr;
  if (reusable && !upload_pending && transfer.live.cut == LiveExchange::Cut::No && upstream.buffer.data().empty() &&
      transfer.target.known && transfer.target.route->epoch == transfer.live.epoch && upstream.maxIdle.count() > 0)
    transfer.target.putIdle(std::move(transfer.upstream), clock_.steadyNow(), limits_.maxIdlePerHost, limits_.maxIdle);
  co_return ForwardResult{};
}

async::awaitable<bool> Proxy::relayBody(Transfer& transfer, const ClientResponse& plan) {
  auto& client = transfer.exchange.stream();
  auto& scratch = transfer.scratch();
  auto& out = scratch.response;
  net::BodyReader body(*transfer.upstream->stream, transfer.upstream->buffer, scratch.head.body, net::Grammar::Relaxed);
  const bool chunked = plan.framing == ClientFraming::Chunked;
  std::array<char, 20> size_line;
  // A head is sent at once if no byte of its body has arrived: an event stream may be silent for minutes.
  bool head_waits = !transfer.upstream->buffer.data().empty();
  if (!head_waits) {
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(out)};
    if ((co_await client.writeAll(buffers)).error) co_return false;
  }
  for (std::size_t last_read = 0;;) {
    // The rest of a large body is spliced without a copy, where both ends are plain sockets.
    if (!head_waits && !chunked && body.hasLargeRest()) {
      const auto moved = co_await body.spliceTo(client);
      if (moved.read.error) transfer.reason = brokenBody(moved.read.error);
      if (moved.failed()) co_return false;
      if (body.done()) co_return true;
    }
    const auto buffer = scratch.pieceBuffer(last_read);
    const auto read = co_await body.readSome(buffer);
    last_read = read.bytes;
    if (read.error) {
      transfer.reason = brokenBody(read.error);
      if (head_waits) {
        const std::array<asio::const_buffer, 1> buffers{asio::buffer(out)};
        co_await client.writeAll(buffers);
      }
      co_return false;
    }
    std::array<asio::const_buffer, 5> buffers;
    std::size_t count = 0;
    if (head_waits) buffers[count++] = asio::buffer(out);
    head_waits = false;
    if (read.bytes > 0) {
      if (chunked) buffers[count++] = chunkSize(size_line, read.bytes);
      buffers[count++] = asio::const_buffer(buffer.data(), read.bytes);
      if (chunked) buffers[count++] = asio::buffer("\r\n", 2);
    }
    const bool last = read.bytes == 0 || body.done();
    if (last && chunked) buffers[count++] = asio::buffer("0\r\n\r\n", 5);
    if (count > 0 && (co_await client.writeAll(std::span(buffers.data(), count))).error) co_return false;
    if (last) co_return true;
  }
}

async::awaitable<ForwardResult> Proxy::tunnel(Transfer& transfer) {
  auto& out = transfer.scratch().response;
  out.clear();
  appendUpgradeResponse(transfer.scratch().head, out);
  transfer.sentToClient = true;
  const std::array<asio::const_buffer, 1> buffers{asio::buffer(out)};
  if ((co_await transfer.exchange.stream().writeAll(buffers)).error) co_return fail(transfer, ForwardOutcome::UpstreamBroke, {});
  counters_.tunnels.fetch_add(1, std::memory_order_relaxed);

  auto client = transfer.exchange.takeStream();
  auto upstream = std::move(transfer.upstream->stream);
  if (const auto ahead = transfer.upstream->buffer.data(); !ahead.empty()) upstream = net::prepend(std::string(ahead), std::move(upstream));
  transfer.upstream.reset();
  transfer.live.upstream = upstream.get();
  transfer.live.tunnelClient = client.get();
  co_await net::pump(*client, *upstream);
  transfer.live.upstream = nullptr;
  transfer.live.tunnelClient = nullptr;
  co_return ForwardResult{};
}

}  // namespace swarm::gateway
