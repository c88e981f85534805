// WebSocket handshakes (RFC 6455 §4), both sides.
#include "net/websocket/websocket.h"

#include <openssl/evp.h>

#include <boost/asio/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "net/http/grammar/http_format.h"
#include "net/websocket/websocket_connection.h"

namespace swarm::net {
namespace {

constexpr std::size_t kMaxRefusalBytes = 64 * 1024;

std::string acceptKey(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return toBase64(std::string_view(reinterpret_cast<const char*>(digest), size));
}

// A key is 16 bytes in base 64.
bool isKey(std::string_view key) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return key.size() == 24 && key.ends_with("==") && key.substr(0, 22).find_first_not_of(kDigits) == std::string_view::npos;
}

ErrorCode codeOfStatus(int status) {
  switch (status) {
    case 400:
      return ErrorCode::InvalidArgument;
    case 401:
      return ErrorCode::Unauthenticated;
    case 403:
      return ErrorCode::PermissionDenied;
    case 404:
      return ErrorCode::NotFound;
    case 409:
      return ErrorCode::Conflict;
    case 429:
      return ErrorCode::TooManyRequests;
    case 503:
      return ErrorCode::Unavailable;
    case 504:
      return ErrorCode::DeadlineExceeded;
    default:
      return ErrorCode::UpstreamFailed;
  }
}

// The reason of a refusal: our own problem details when it has them.
Error refusalError(const ResponseHead& head, const std::string& host, const std::string& body) {
  ErrorCode code = codeOfStatus(head.status);
  std::string message = format("{} refused the WebSocket with status {}.", host, head.status);
  boost::system::error_code failed;
  const boost::json::value problem = boost::json::parse(body, failed);
  if (!failed) {
    if (std::string detail = stringAt(problem, "detail"); !detail.empty()) message = std::move(detail);
    code = errorCodeFromString(stringAt(problem, "code")).value_or(code);
  }
  return Error(code, message).withUpstream({head.status, std::string(head.headers.find("X-Request-Id").value_or(""))});
}

awaitable<std::string> readRefusal(Stream& stream, ReadBuffer& buffer, BodyFraming framing) {
  BodyReader body(stream, buffer, framing);
  std::string text;
  while (!body.done() && text.size() < kMaxRefusalBytes) {
    char piece[4096];
    const IoResult got = co_await body.readSome(asio::buffer(piece));
    if (got.error) break;
    text.append(piece, got.bytes);
  }
  co_return text;
}

[[noreturn]] void handshakeCut(const std::string& host, error_code error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error == asio::error::timed_out)
    throw Error(ErrorCode::DeadlineExceeded, format("Timed out in the WebSocket handshake with {}.", host));
  const std::string reason = error == asio::error::eof ? "closed by the peer" : error.message();
  throw Error(ErrorCode::Unavailable, format("The connection to {} was lost during the WebSocket handshake: {}.", host, reason));
}

std::string formatHandshake(const std::string& host, const std::string& target, const Headers& headers, const std::string& key) {
  std::string text = format("GET {} HTTP/1.1\r\n", target);
  bool sendable = isSendableTarget(target) && isSendable({"Host", host});
  appendField(text, "Host", host);
  text.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  appendField(text, "Sec-WebSocket-Key", key);
  for (const Header& header : headers) {
    sendable &= isSendable(header);
    appendField(text, header.name, header.value);
  }
  if (!sendable) throw Error(ErrorCode::InvalidArgument, "The WebSocket's target or headers contain a forbidden character.");
  return text.append("\r\n");
}

}  // namespace

awaitable<std::unique_ptr<WebSocket>> acceptWebSocket(Exchange& exchange, Headers headers) {
  const RequestHead& head = exchange.head();
  const std::string_view key = head.headers.find("Sec-WebSocket-Key").value_or("");
  const bool wanted = head.method == "GET" && equalsIgnoreCase(head.upgrade, "websocket") && head.body.kind == BodyKind::None;
  if (!wanted || !isKey(key))
    throw Error(ErrorCode::InvalidArgument, "This address requires a WebSocket: send a WebSocket upgrade request.");
  if (head.headers.find("Sec-WebSocket-Version").value_or("") != "13") {
    throw Error(ErrorCode::InvalidArgument, "Only version 13 of the WebSocket protocol is supported.");
  }
  headers.push_back({"Upgrade", "websocket"});
  headers.push_back({"Sec-WebSocket-Accept", acceptKey(key)});
  StreamPtr stream = co_await exchange.upgrade(std::move(headers));
  co_return makeWebSocket(std::move(stream), WebSocketRole::Server);
}

awaitable<std::unique_ptr<WebSocket>> openWebSocket(StreamPtr stream, std::string host, std::string target, Headers headers,
                                                    Deadline deadline) {
  const std::string key = toBase64(randomBytes(16));
  const std::string request = formatHandshake(host, target, headers, key);
  stream->setDeadline(deadline.time());
  const IoResult sent = co_await stream->writeAll(request);
  if (sent.error) handshakeCut(host, sent.error);
  ReadBuffer buffer;
  const auto size = co_await readHead(*stream, buffer);
  if (!size || *size == 0) handshakeCut(host, size ? error_code(asio::error::eof) : size.error());
  ResponseHead head;
  if (const auto parsed = parseResponseHead(buffer.data().substr(0, *size), "GET", head); !parsed) {
    throw Error(ErrorCode::UpstreamFailed, format("{} sent an invalid HTTP response: {}.", host, parsed.error().reason));
  }
  buffer.consume(*size);
  if (head.status != 101) throw refusalError(head, host, co_await readRefusal(*stream, buffer, head.body));
  const bool accepted = equalsIgnoreCase(head.headers.find("Upgrade").value_or(""), "websocket") &&
                        listHasToken(head.headers.find("Connection").value_or(""), "upgrade") &&
                        head.headers.find("Sec-WebSocket-Accept").value_or("") == acceptKey(key);
  if (!accepted) throw Error(ErrorCode::UpstreamFailed, format("{} sent an invalid response to the WebSocket handshake.", host));
  stream->setDeadline(SteadyTime::max());
  co_return makeWebSocket(prepend(std::string(buffer.data()), std::move(stream)), WebSocketRole::Client);
}

}  // namespace swarm::net
