// ServerConnection: reads requests in order, runs the handler, writes its responses.
#include "net/http/http_exchange.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/http/grammar/http_format.h"
#include "net/ip_address.h"
#include "net/tls/tls_stream.h"

namespace swarm::net {
namespace {

constexpr std::size_t kMaxDrainedBytes = 64 * 1024;
constexpr std::chrono::seconds kLinger{2};
constexpr char kTlsHandshake = 0x16;  // the type of the first record

bool isLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool hasBody(int status) { return status >= 200 && status != 204 && status != 304; }

bool isCancellation(const boost::system::system_error& error) { return error.code() == asio::error::operation_aborted; }

}  // namespace

ServerConnection::ServerConnection(StreamPtr stream, const HttpHandler& handler, const HttpServerOptions& options, ConnectionTable& table)
    : stream_(std::move(stream)), handler_(handler), options_(options), table_(table) {
  behind_proxy_ = options.isProxy && options.clientOf && options.isProxy(stream_->peerAddress());
}

void ServerConnection::stop() {
  stopped_ = true;
  if (stream_) stream_->close();
}

awaitable<void> ServerConnection::serve() {
  table_.wait(*this);
  if (options_.tls && !co_await secure()) co_return stream_->close();
  stream_->setWritePatience(options_.writePatience);
  while (co_await readRequest()) {
    co_await handle();
    if (!stream_) co_return;
    if (!reusable_ || !co_await settleBody()) {
      co_await closeGently();
      co_return;
    }
  }
  if (stream_) stream_->close();
}

// The handshake, which begins with the client's first bytes: one that sends none costs nothing but its connection. The stream stays this
// object's throughout, so that stop() ends it.
awaitable<bool> ServerConnection::secure() {
  stream_->setDeadline(std::chrono::steady_clock::now() + options_.handshakeTimeout);
  const IoResult got = co_await stream_->readSome(buffer_.prepare(2048));
  if (got.error) co_return false;
  buffer_.commit(got.bytes);
  const std::string_view received = buffer_.data();
  if (isLetter(received.front())) co_await refuse({400, "This port requires TLS: the address has to begin with https://"});
  if (received.front() != kTlsHandshake) co_return false;
  auto secured = std::make_unique<TlsStream>(std::move(stream_), *options_.tls, TlsStream::Side::Server);
  TlsStream& tls = *secured;
  stream_ = std::move(secured);
  tls.receive(received);
  buffer_.consume(received.size());
  const error_code error = co_await tls.handshake();
  if (error) log::debug("a TLS handshake failed", {{"peer", stream_->peerAddress()}, {"reason", error.message()}});
  co_return !error && !stopped_;
}

// The rest of a head must arrive within the head timeout; between requests, a connection may stay idle without sending a byte.
awaitable<bool> ServerConnection::readFirstByte() {
  stream_->setDeadline(std::chrono::steady_clock::now() + (first_request_ ? options_.headTimeout : options_.keepAliveTimeout));
  const IoResult got = co_await stream_->readSome(buffer_.prepare(2048));
  if (!got.error) buffer_.commit(got.bytes);
  co_return !got.error;
}

// Reads and gates the next head. False: there is none, and any refusal has been sent.
awaitable<bool> ServerConnection::readRequest() {
  buffer_.unpin();
  mayRead();  // the memory of the last head is free again
  table_.wait(*this);
  if (buffer_.empty() && !co_await readFirstByte()) co_return false;
  first_request_ = false;
  stream_->setDeadline(std::chrono::steady_clock::now() + options_.headTimeout);
  const auto size = co_await readHead(*stream_, buffer_, Grammar::Strict, this);
  if (!size) {
    if (size.error() == asio::error::message_size) {
      const bool in_first_line = !buffer_.data().substr(0, kMaxHeadBytes).contains('\n');
      co_await refuse(in_first_line ? HeadError{414, "The request target is too long"} : HeadError{431, "The header section is too large"});
    } else if (size.error() == asio::error::timed_out) {
      co_await refuse({408, "Timed out waiting for the header section"});
    } else if (size.error() == asio::error::no_buffer_space) {
      co_await refuse({503, "Too many large header sections from your address"});
    }
    co_return false;
  }
  if (*size == 0) co_return false;
  if (const auto parsed = parseRequestHead(buffer_.data().substr(0, *size), head_, options_.oddPaths); !parsed) {
    co_await refuse(parsed.error());
    co_return false;
  }
  buffer_.consume(*size);
  if (behind_proxy_ && !countForClient()) {
    co_await refuse({503, "Too many open connections from your address"});
    co_return false;
  }
  beginRequest();
  co_return true;
}

// A proxy's connections carry requests of many clients: each counts for the client of its current request.
bool ServerConnection::countForClient() {
  return table_.regroup(*this, addressGroup(options_.clientOf(head_.headers, stream_->peerAddress())));
}

void ServerConnection::beginRequest() {
  stream_->setDeadline(SteadyTime::max());
  body_.emplace(*stream_, buffer_, head_.body);
  if (head_.expectsContinue) body_->continueOnRead();
  if (body_->done()) {
    table_.proceed(*this);
  } else {
    table_.wait(*this);
    body_->observe(*this);
    stream_->setReadPatience(options_.bodyPatience);
  }
  streaming_ = Streaming::No;
  responded_ = false;
  reusable_ = head_.keepAlive;
}

// The request is complete: the server no longer waits for the client, which may be silent.
void ServerConnection::bodyEnded() {
  table_.proceed(*this);
  if (stream_) stream_->setReadPatience({});
}

awaitable<void> ServerConnection::handle() {
  bool failed = false;
  try {
    co_await handler_(*this);
  } catch (const boost::system::system_error& error) {
    failed = true;
    if (!stopped_ || !isCancellation(error)) log::error("a request handler failed", {{"target", head_.path()}, {"error", error.what()}});
  } catch (...) {
    failed = true;
    if (!stopped_) log::error("a request handler failed", {{"target", head_.path()}, {"error", describeCurrentException()}});
  }
  if (!stream_) co_return;
  if (stopped_ || streaming_ != Streaming::No) {
    // A response that was started but not finished can only be cut off.
    if (streaming_ == Streaming::Chunked && !failed && !stopped_)
      log::error("a handler did not finish its response", {{"target", head_.path()}});
    reusable_ = false;
    stream_->close();
  } else if (!responded_) {
    if (!failed) log::error("a handler sent no response", {{"target", head_.path()}});
    reusable_ = false;
    RefusalResponse response = refusalOf({500, "Internal server error; see the server's log for details"}, {});
    co_await respond(500, std::move(response.headers), std::move(response.body));
  }
}

RefusalResponse ServerConnection::refusalOf(HeadError error, std::string_view bytes) const {
  if (options_.refusal) return options_.refusal({error, bytes});
  return {{{"Content-Type", "text/plain"}}, format("{}.\n", error.reason)};
}

awaitable<void> ServerConnection::refuse(HeadError error) {
  RefusalResponse response = refusalOf(error, buffer_.data());
  head_.method = {};
  head_.minorVersion = 1;
  reusable_ = false;
  stream_->setDeadline(std::chrono::steady_clock::now() + kLinger);
  co_await respond(error.status, std::move(response.headers), std::move(response.body));
  co_await closeGently();
}

// Reads what the handler left of the body. False when that is too much, or its length is unknown.
awaitable<bool> ServerConnection::settleBody() {
  if (body_->done()) co_return true;
  if (body_->awaitsContinue()) co_return false;
  stream_->setDeadline(std::chrono::steady_clock::now() + options_.headTimeout);
  char scratch[4096];
  std::size_t drained = 0;
  while (!body_->done() && drained <= kMaxDrainedBytes) {
    const IoResult got = co_await body_->readSome(asio::buffer(scratch));
    if (got.error) break;
    drained += got.bytes;
  }
  co_return body_->done();
}

// Closing with unread input would reset the connection, and the peer might never read the response: give it a moment to finish.
awaitable<void> ServerConnection::closeGently() {
  stream_->setDeadline(std::chrono::steady_clock::now() + kLinger);
  if (!co_await stream_->shutdownWrite()) {
    char scratch[4096];
    std::size_t drained = 0;
    while (drained <= kMaxDrainedBytes) {
      const IoResult got = co_await stream_->readSome(asio::buffer(scratch));
      if (got.error) break;
      drained += got.bytes;
    }
  }
  stream_->close();
}

void ServerConnection::startHead(int status, const Headers& headers) {
  out_.assign("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reasonPhrase(status)).append("\r\n");
  for (const Header& header : headers) {
    if (!isSendable(header)) {
      throw Error(ErrorCode::Internal, "The server produced a malformed response; see its log for details.")
          .withCause("header " + header.name);
    }
    if (equalsIgnoreCase(header.name, "Connection")) {
      reusable_ &= !listHasToken(header.value, "close");
      if (status == 101) appendField(out_, header.name, header.value);
    } else if (!equalsIgnoreCase(header.name, "Content-Length") && !equalsIgnoreCase(header.name, "Transfer-Encoding")) {
      appendField(out_, header.name, header.value);
    }
  }
  // Strict-Transport-Security must not be sent without TLS.
  if (!options_.tls || stream_->isTls())
    for (const Header& header : options_.always) appendField(out_, header.name, header.value);
}

void ServerConnection::endHead() {
  appendField(out_, "Date", httpDate());
  if (!reusable_) {
    out_.append("Connection: close\r\n");
  } else if (head_.minorVersion == 0) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append("\r\n");
}

awaitable<void> ServerConnection::respond(int status, Headers headers, std::string body) {
  startHead(status, headers);
  const bool head_only = head_.method == "HEAD";
  if (hasBody(status)) {
    const std::string_view own_length = findHeader(headers, "Content-Length");
    appendField(out_, "Content-Length", head_only && body.empty() && !own_length.empty() ? own_length : std::to_string(body.size()));
  }
  endHead();
  responded_ = true;
  const bool with_body = hasBody(status) && !head_only;
  table_.wait(*this);
  const asio::const_buffer pieces[] = {asio::buffer(out_), asio::buffer(body)};
  const IoResult written = co_await stream_->writeAll(std::span(pieces, with_body ? 2 : 1));
  if (body_ && body_->done()) table_.proceed(*this);
  if (written.error) reusable_ = false;
}

awaitable<void> ServerConnection::begin(int status, Headers headers) {
  startHead(status, headers);
  const bool head_only = head_.method == "HEAD" || !hasBody(status);
  if (head_.minorVersion == 0) reusable_ &= head_only;
  if (head_.minorVersion == 1 && hasBody(status)) out_.append("Transfer-Encoding: chunked\r\n");
  endHead();
  responded_ = true;
  streaming_ = head_.minorVersion == 1 ? Streaming::Chunked : Streaming::UntilClose;
  const IoResult written = co_await stream_->writeAll(out_);
  if (written.error) reusable_ = false;
}

awaitable<bool> ServerConnection::write(std::string_view piece) {
  if (streaming_ == Streaming::No || !stream_) co_return false;
  if (piece.empty() || head_.method == "HEAD") co_return true;
  IoResult written;
  if (streaming_ == Streaming::Chunked) {
    char size[20];
    const int digits = std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    const asio::const_buffer pieces[] = {asio::buffer(size, static_cast<std::size_t>(digits)), asio::buffer(piece.data(), piece.size()),
                                         asio::buffer("\r\n", 2)};
    written = co_await stream_->writeAll(pieces);
  } else {
    written = co_await stream_->writeAll(piece);
  }
  if (written.error) reusable_ = false;
  co_return !written.error;
}

awaitable<void> ServerConnection::finish() {
  if (streaming_ == Streaming::Chunked && head_.method != "HEAD") {
    const IoResult written = co_await stream_->writeAll(std::string_view("0\r\n\r\n"));
    if (written.error) reusable_ = false;
  }
  streaming_ = Streaming::No;
}

void ServerConnection::respondedRaw(Reuse reuse) {
  responded_ = true;
  streaming_ = Streaming::No;
  reusable_ &= reuse == Reuse::KeepAlive;
}

awaitable<StreamPtr> ServerConnection::upgrade(Headers headers) {
  if (!headers.empty()) {
    startHead(101, headers);
    if (findHeader(headers, "Upgrade").empty() && !head_.upgrade.empty()) appendField(out_, "Upgrade", head_.upgrade);
    if (findHeader(headers, "Connection").empty()) appendField(out_, "Connection", "Upgrade");
    out_.append("\r\n");
    responded_ = true;
    const IoResult written = co_await stream_->writeAll(out_);
    if (written.error) throw Error(ErrorCode::Unavailable, "The client has closed the connection.").withCause(written.error.message());
  }
  co_return takeStream();
}

StreamPtr ServerConnection::takeStream() {
  responded_ = true;
  table_.proceed(*this);
  stream_->setDeadline(SteadyTime::max());
  stream_->setReadPatience({});
  stream_->setWritePatience(options_.tunnelPatience);
  std::string read_ahead(buffer_.data());
  buffer_.consume(read_ahead.size());
  return prepend(std::move(read_ahead), std::move(stream_));
}

}  // namespace swarm::net
