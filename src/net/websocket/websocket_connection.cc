// WebSocket over a Stream: messages from frames, pings, the closing handshake.
#include "net/websocket/websocket_connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include "async/io_wait.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "net/stream/deadline_timer.h"
#include "net/websocket/websocket_frame.h"

namespace swarm::net {
namespace {

constexpr std::size_t kMaxMessageBytes = 16 * 1024 * 1024;

enum CloseCode : std::uint16_t { kNormal = 1000, kProtocolError = 1002, kBadText = 1007, kTooLarge = 1009 };

// How a read ended other than by a frame.
struct Violation {
  std::uint16_t code;
  std::string_view reason;
};

class WebSocketConnection : public std::enable_shared_from_this<WebSocketConnection> {
 public:
  WebSocketConnection(StreamPtr stream, WebSocketRole role, WebSocketTimes times)
      : stream_(std::move(stream)),
        role_(role),
        times_(times),
        write_free_(stream_->executor()),
        read_free_(stream_->executor()),
        silence_(stream_->executor(), [this] { onSilence(); }) {}

  awaitable<std::optional<WebSocketMessage>> read();
  awaitable<bool> writeFrame(Opcode opcode, std::string_view data);
  awaitable<void> close(std::uint16_t code, std::string_view reason);
  void drop() { stream_->close(); }
  PeerState peerState() { return stream_->peerState(); }

 private:
  awaitable<bool> fill();
  awaitable<std::optional<FrameHeader>> readHeader();
  awaitable<bool> readPayload(const FrameHeader& header, std::string& into);
  awaitable<std::optional<WebSocketMessage>> readMessage();
  awaitable<bool> handleControl(Opcode opcode, std::string payload);
  awaitable<void> sendClose(std::uint16_t code, std::string_view reason);
  void onSilence();
  [[noreturn]] void throwCut();

  StreamPtr stream_;
  WebSocketRole role_;
  WebSocketTimes times_;
  ReadBuffer buffer_;
  asio::steady_timer write_free_;  // cancelled when a write has ended
  asio::steady_timer read_free_;   // cancelled when a read has ended
  DeadlineTimer silence_;
  error_code failure_;
  bool writing_ = false;
  bool reading_ = false;
  bool ping_sent_ = false;
  bool unanswered_ = false;
  bool close_sent_ = false;
  bool closed_ = false;  // by the peer's Close, or after ours
};

awaitable<void> sendPing(std::shared_ptr<WebSocketConnection> connection) { co_await connection->writeFrame(Opcode::Ping, {}); }

void WebSocketConnection::onSilence() {
  if (!reading_) return;
  if (writing_) {
    // The peer reads nothing, so it cannot answer a ping. If it has vanished, TCP's own timeout makes the write fail.
    silence_.set(std::chrono::steady_clock::now() + times_.silence);
    return;
  }
  if (ping_sent_) {
    unanswered_ = true;
    stream_->close();
    return;
  }
  ping_sent_ = true;
  silence_.set(std::chrono::steady_clock::now() + times_.grace);
  asio::co_spawn(stream_->executor(), sendPing(shared_from_this()), asio::detached);
}

void WebSocketConnection::throwCut() {
  if (unanswered_) throw Error(ErrorCode::Unavailable, "The WebSocket's peer stopped responding.");
  if (failure_ == asio::error::operation_aborted) throw boost::system::system_error(failure_);
  const std::string reason = failure_ == asio::error::eof ? "the peer closed the connection" : failure_.message();
  throw Error(ErrorCode::Unavailable, format("The WebSocket connection was lost: {}.", reason));
}

// False at the end of the connection.
awaitable<bool> WebSocketConnection::fill() {
  silence_.set(std::chrono::steady_clock::now() + times_.silence);
  const IoResult got = co_await stream_->readSome(buffer_.prepare(4096));
  ping_sent_ = false;
  failure_ = got.error;
  buffer_.commit(got.bytes);
  co_return !got.error;
}

awaitable<std::optional<FrameHeader>> WebSocketConnection::readHeader() {
  while (true) {
    const auto header = parseFrameHeader(buffer_.data());
    if (!header) throw Violation{kProtocolError, header.error()};
    if (*header) {
      if ((*header)->masked != (role_ == WebSocketRole::Server)) throw Violation{kProtocolError, "a frame is masked by the wrong side"};
      buffer_.consume((*header)->headerBytes);
      co_return **header;
    }
    if (!co_await fill()) co_return std::nullopt;
  }
}

// Appends the payload to `into`. False at the end of the connection.
awaitable<bool> WebSocketConnection::readPayload(const FrameHeader& header, std::string& into) {
  if (header.length > kMaxMessageBytes || into.size() + header.length > kMaxMessageBytes)
    throw Violation{kTooLarge, "a message is too large"};
  const std::size_t start = into.size();
  auto left = static_cast<std::size_t>(header.length);
  while (left > 0) {
    if (buffer_.empty() && !co_await fill()) co_return false;
    const std::size_t bytes = std::min(left, buffer_.data().size());
    into.append(buffer_.data().substr(0, bytes));
    buffer_.consume(bytes);
    left -= bytes;
  }
  if (header.masked) applyMask(into.data() + start, into.size() - start, header.mask);
  co_return true;
}

awaitable<std::optional<WebSocketMessage>> WebSocketConnection::readMessage() {
  WebSocketMessage message;
  bool begun = false;
  while (true) {
    const std::optional<FrameHeader> header = co_await readHeader();
    if (!header) co_return std::nullopt;
    if (static_cast<std::uint8_t>(header->opcode) >= 8) {
      std::string payload;
      if (!co_await readPayload(*header, payload)) co_return std::nullopt;
      if (!co_await handleControl(header->opcode, std::move(payload))) co_return std::nullopt;
      continue;
    }
    if (begun != (header->opcode == Opcode::Continuation)) throw Violation{kProtocolError, "a message's fragments are out of order"};
    if (!begun) message.text = header->opcode == Opcode::Text;
    begun = true;
    if (!co_await readPayload(*header, message.data)) co_return std::nullopt;
    if (!header->final) continue;
    if (message.text && !isUtf8(message.data)) throw Violation{kBadText, "a text message is not UTF-8"};
    co_return message;
  }
}

// False after a Close.
awaitable<bool> WebSocketConnection::handleControl(Opcode opcode, std::string payload) {
  if (opcode == Opcode::Ping) co_await writeFrame(Opcode::Pong, payload);
  if (opcode != Opcode::Close) co_return true;
  std::uint16_t code = kNormal;
  if (payload.size() == 1) throw Violation{kProtocolError, "a Close frame is malformed"};
  if (payload.size() >= 2) {
    code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
    if (!isCloseCode(code) || !isUtf8(std::string_view(payload).substr(2))) throw Violation{kProtocolError, "a Close frame is malformed"};
  }
  closed_ = true;
  co_await sendClose(code, {});
  stream_->close();
  co_return false;
}

awaitable<std::optional<WebSocketMessage>> WebSocketConnection::read() {
  // close() reads until the peer's Close; two reads at a time would damage the buffer.
  while (reading_) {
    read_free_.expires_at(SteadyTime::max());
    co_await async::waitTimer(read_free_);
  }
  if (closed_) co_return std::nullopt;
  struct Reading {
    WebSocketConnection& connection;
    ~Reading() {
      connection.reading_ = false;
      connection.read_free_.cancel();
      connection.silence_.set(SteadyTime::max());
    }
  } reading{*this};
  reading_ = true;
  Violation violation{};
  try {
    std::optional<WebSocketMessage> message = co_await readMessage();
    if (message || closed_ || close_sent_) co_return message;
    throwCut();
  } catch (const Violation& caught) {
    violation = caught;
  }
  co_await sendClose(violation.code, violation.reason);
  closed_ = true;
  stream_->close();
  throw Error(ErrorCode::Unavailable, format("The peer violated the WebSocket protocol: {}.", violation.reason));
}

awaitable<bool> WebSocketConnection::writeFrame(Opcode opcode, std::string_view data) {
  while (writing_) {
    write_free_.expires_at(SteadyTime::max());
    co_await async::waitTimer(write_free_);
  }
  if (close_sent_) co_return false;
  struct Writing {
    WebSocketConnection& connection;
    ~Writing() {
      connection.writing_ = false;
      connection.write_free_.cancel();
    }
  } writing{*this};
  writing_ = true;
  if (opcode == Opcode::Close) close_sent_ = true;
  FrameHeader header{.opcode = opcode, .length = data.size()};
  std::string masked;
  if (role_ == WebSocketRole::Client) {
    const std::string key = randomBytes(header.mask.size());
    std::copy(key.begin(), key.end(), header.mask.begin());
    header.masked = true;
    masked.assign(data);
    applyMask(masked.data(), masked.size(), header.mask);
    data = masked;
  }
  const std::string head = formatFrameHeader(header);
  const asio::const_buffer pieces[] = {asio::buffer(head), asio::buffer(data.data(), data.size())};
  const IoResult written = co_await stream_->writeAll(pieces);
  co_return !written.error;
}

awaitable<void> WebSocketConnection::sendClose(std::uint16_t code, std::string_view reason) {
  stream_->setDeadline(std::chrono::steady_clock::now() + times_.close);
  std::string payload;
  payload += static_cast<char>(code >> 8);
  payload += static_cast<char>(code & 0xff);
  payload += reason.substr(0, 123);
  co_await writeFrame(Opcode::Close, payload);
}

awaitable<void> WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  if (!close_sent_) co_await sendClose(code, reason);
  // A pending read() receives the peer's Close, or the stream's deadline; else it is awaited here.
  if (reading_ || closed_) co_return;
  try {
    while (co_await read()) {
    }
  } catch (const Error&) {
    // The peer disconnected without a Close: the connection has ended too.
  }
  closed_ = true;
  stream_->close();
}

class OwningWebSocket final : public WebSocket {
 public:
  explicit OwningWebSocket(std::shared_ptr<WebSocketConnection> connection) : connection_(std::move(connection)) {}
  ~OwningWebSocket() override { connection_->drop(); }
  awaitable<std::optional<WebSocketMessage>> read() override { return connection_->read(); }
  awaitable<bool> write(std::string_view data) override { return connection_->writeFrame(Opcode::Binary, data); }
  awaitable<bool> writeText(std::string_view text) override { return connection_->writeFrame(Opcode::Text, text); }
  awaitable<void> close(std::uint16_t code, std::string_view reason) override { return connection_->close(code, reason); }
  void cut() override { connection_->drop(); }
  PeerState peerState() override { return connection_->peerState(); }

 private:
  std::shared_ptr<WebSocketConnection> connection_;
};

}  // namespace

std::unique_ptr<WebSocket> makeWebSocket(StreamPtr stream, WebSocketRole role, WebSocketTimes times) {
  return std::make_unique<OwningWebSocket>(std::make_shared<WebSocketConnection>(std::move(stream), role, times));
}

}  // namespace swarm::net
