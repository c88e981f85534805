// Forwarding of one exchange.
#include "emulator/edge/forward.h"

#include <array>
#include <vector>

#include "async/deadline.h"
#include "base/text/format.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kPieceBytes = 64 * 1024;
/// How long a client may continue to send a body that is no longer needed.
constexpr std::chrono::seconds kLinger{5};

bool isHopByHop(std::string_view name, const net::HeaderViews& headers) {
  for (std::string_view hop :
       {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Content-Length", "Expect"}) {
    if (net::equalsIgnoreCase(name, hop)) return true;
  }
  auto connection = headers.find("Connection");
  return connection && net::listHasToken(*connection, name);
}

/// Fields that the edge sets itself, whatever the client sent.
bool isOurs(std::string_view name) {
  for (std::string_view ours : {"Fly-Client-IP", "Fly-Forwarded-Port", "Fly-Region", "Fly-Request-Id", "X-Forwarded-For",
                                "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Ssl", "Via", "Fly-Emulator-Port"}) {
    if (net::equalsIgnoreCase(name, ours)) return true;
  }
  return false;
}

void appendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool hasBody(const net::BodyFraming& framing) {
  return framing.kind == net::BodyKind::Chunked || (framing.kind == net::BodyKind::Length && framing.length > 0);
}

/// Writes the bytes of one body, chunked or unchanged.
class BodyWriter {
 public:
  BodyWriter(net::Stream& stream, bool chunked) : stream_(stream), chunked_(chunked) {}
  awaitable<bool> write(std::string_view piece) {
    std::string size = chunked_ ? format("{:x}\r\n", piece.size()) : "";
    std::array<asio::const_buffer, 3> buffers{asio::buffer(size), asio::buffer(piece), asio::buffer("\r\n", chunked_ ? 2 : 0)};
    co_return !(co_await stream_.writeAll(buffers)).error;
  }
  awaitable<bool> finish() {
    if (!chunked_) co_return true;
    co_return !(co_await stream_.writeAll("0\r\n\r\n")).error;
  }

 private:
  net::Stream& stream_;
  bool chunked_;
};

/// The state of one exchange, on the frame of forwardExchange().
struct Transfer {
  net::Exchange& exchange;
  net::Stream& machine;
  const EdgeFacts& facts;
  net::ReadBuffer buffer{};
  net::ResponseHead head{};
  bool discardUpload = false;  ///< the response is complete: further data from the client is read and discarded
  bool uploadEnded = false;    ///< the whole body was read
  bool headReceived = false;
  bool upgraded = false;
  bool responseComplete = false;
  bool keepAlive = false;
};

awaitable<void> upload(Transfer& transfer) {
  net::BodyReader& body = transfer.exchange.body();
  BodyWriter writer(transfer.machine, body.framing().kind == net::BodyKind::Chunked);
  std::vector<char> piece(kPieceBytes);
  for (;;) {
    net::IoResult got = co_await body.readSome(asio::buffer(piece));
    if (got.error) {
      if (!transfer.discardUpload) transfer.machine.close();  // the client has disconnected: the response is no longer needed
      co_return;
    }
    if (got.bytes == 0) break;
    // A Machine that accepts no more data may still have responded.
    if (!transfer.discardUpload && !co_await writer.write({piece.data(), got.bytes})) transfer.discardUpload = true;
  }
  transfer.uploadEnded = true;
  if (!transfer.discardUpload) co_await writer.finish();
}

awaitable<bool> readResponseHead(Transfer& transfer) {
  for (;;) {
    auto size = co_await net::readHead(transfer.machine, transfer.buffer);
    if (!size || *size == 0) co_return false;
    transfer.head.headers.clear();
    if (!net::parseResponseHead(transfer.buffer.data().substr(0, *size), transfer.exchange.head().method, transfer.head)) co_return false;
    transfer.buffer.consume(*size);
    if (transfer.head.status == 101) co_return !transfer.exchange.head().upgrade.empty();
    if (transfer.head.status >= 200) co_return true;
  }
}

std::string clientHead(const Transfer& transfer, bool chunked) {
  const net::ResponseHead& head = transfer.head;
  std::string out = format("HTTP/1.1 {} {}\r\n", head.status, head.reason);
  for (const net::HeaderView& field : head.headers.all()) {
    if (!isHopByHop(field.name, head.headers)) appendField(out, field.name, field.value);
  }
  if (chunked) {
    appendField(out, "Transfer-Encoding", "chunked");
  } else if (auto length = head.headers.find("Content-Length")) {
    appendField(out, "Content-Length", *length);  // also of a response to HEAD
  }
  appendField(out, "fly-request-id", transfer.facts.requestId);
  appendField(out, "via", "1.1 fly.io");
  appendField(out, "Connection", transfer.keepAlive ? "keep-alive" : "close");
  return out.append("\r\n");
}

awaitable<bool> relayResponse(Transfer& transfer) {
  const net::BodyFraming framing = transfer.head.body;
  bool old_client = transfer.exchange.head().minorVersion == 0;
  bool open_ended = framing.kind == net::BodyKind::Chunked || framing.kind == net::BodyKind::UntilClose;
  bool chunked = open_ended && !old_client;
  bool request_read = !hasBody(transfer.exchange.body().framing()) || transfer.uploadEnded;
  transfer.keepAlive = transfer.exchange.head().keepAlive && request_read && !(open_ended && old_client);
  net::Stream& client = transfer.exchange.stream();
  if ((co_await client.writeAll(clientHead(transfer, chunked))).error) co_return false;
  net::BodyReader body(transfer.machine, transfer.buffer, framing);
  BodyWriter writer(client, chunked);
  std::vector<char> piece(kPieceBytes);
  while (framing.kind != net::BodyKind::None) {
    net::IoResult got = co_await body.readSome(asio::buffer(piece));
    if (got.error) co_return false;
    if (got.bytes == 0) break;
    if (!co_await writer.write({piece.data(), got.bytes})) co_return false;
  }
  co_return framing.kind == net::BodyKind::None || co_await writer.finish();
}

awaitable<void> download(Transfer& transfer) {
  transfer.headReceived = co_await readResponseHead(transfer);
  transfer.upgraded = transfer.headReceived && transfer.head.status == 101;
  if (transfer.headReceived && !transfer.upgraded) transfer.responseComplete = co_await relayResponse(transfer);
  transfer.discardUpload = true;
  if (transfer.upgraded) co_return;
  transfer.machine.close();  // ends a write of the upload
  if (hasBody(transfer.exchange.body().framing()) && !transfer.uploadEnded) {
    transfer.exchange.stream().setDeadline(std::chrono::steady_clock::now() + kLinger);
  }
}

awaitable<void> pumpUpgraded(Transfer& transfer, net::StreamPtr machine) {
  net::Headers headers;
  for (const net::HeaderView& field : transfer.head.headers.all()) {
    bool hop = isHopByHop(field.name, transfer.head.headers) && !net::equalsIgnoreCase(field.name, "Upgrade");
    if (!hop) headers.push_back({std::string(field.name), std::string(field.value)});
  }
  headers.push_back({"fly-request-id", transfer.facts.requestId});
  net::StreamPtr upstream = net::prepend(std::string(transfer.buffer.data()), std::move(machine));
  net::StreamPtr client = co_await transfer.exchange.upgrade(std::move(headers));
  co_await net::pump(*client, *upstream);
}

}  // namespace

std::string machineRequestHead(const net::RequestHead& head, const EdgeFacts& facts) {
  std::string out = format("{} {} HTTP/1.1\r\n", head.method, head.target);
  for (const net::HeaderView& field : head.headers.all()) {
    if (!isHopByHop(field.name, head.headers) && !isOurs(field.name)) appendField(out, field.name, field.value);
  }
  std::string forwarded;
  if (auto before = head.headers.find("X-Forwarded-For")) forwarded = format("{}, ", *before);
  appendField(out, "X-Forwarded-For", forwarded + facts.clientAddress);
  appendField(out, "X-Forwarded-Proto", facts.tls ? "https" : "http");
  appendField(out, "X-Forwarded-Port", std::to_string(facts.externalPort));
  appendField(out, "X-Forwarded-Ssl", facts.tls ? "on" : "off");
  appendField(out, "Fly-Client-IP", facts.clientAddress);
  appendField(out, "Fly-Forwarded-Port", std::to_string(facts.externalPort));
  appendField(out, "Fly-Region", facts.region);
  appendField(out, "Fly-Request-Id", facts.requestId);
  appendField(out, "Via", "1.1 fly.io");
  if (head.body.kind == net::BodyKind::Chunked) {
    appendField(out, "Transfer-Encoding", "chunked");
  } else if (head.body.kind == net::BodyKind::Length) {
    appendField(out, "Content-Length", std::to_string(head.body.length));
  }
  if (head.upgrade.empty()) {
    appendField(out, "Connection", "close");  // each connection to the Machine serves one request
  } else {
    appendField(out, "Connection", "Upgrade");
    appendField(out, "Upgrade", head.upgrade);
  }
  return out.append("\r\n");
}

awaitable<bool> forwardExchange(net::Exchange& exchange, net::StreamPtr machine, EdgeFacts facts) {
  Transfer transfer{.exchange = exchange, .machine = *machine, .facts = facts};
  std::string request = machineRequestHead(exchange.head(), facts);
  // A failed write is not conclusive: the response may already be there.
  co_await machine->writeAll(request);
  if (hasBody(exchange.head().body)) {
    co_await async::both(upload(transfer), download(transfer));
    exchange.stream().setDeadline(SteadyTime::max());
  } else {
    co_await download(transfer);
  }
  if (!transfer.headReceived) co_return false;
  if (transfer.upgraded) {
    co_await pumpUpgraded(transfer, std::move(machine));
    co_return true;
  }
  // Half a response: closing is the only way to signal that it is incomplete.
  bool reusable = transfer.responseComplete && transfer.keepAlive;
  exchange.respondedRaw(reusable ? net::Exchange::Reuse::KeepAlive : net::Exchange::Reuse::Close);
  co_return true;
}

}  // namespace swarm::emulator
