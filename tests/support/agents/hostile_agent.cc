// The responses of a hostile agent.
#include "support/agents/hostile_agent.h"
#include "async/awaitable.h"

#include <string>

#include "net/http/http.h"

namespace swarm::test {
namespace {

constexpr std::size_t kHuge = 15 * 1024 * 1024;
constexpr std::size_t kPiece = 256 * 1024;

constexpr std::string_view kNames[] = {"huge-reason",  "huge-health",     "many-values", "deep-json",    "endless-body",
                                       "endless-head", "endless-interim", "escapes",     "wrong-types",  "not-utf8",
                                       "not-http",     "upgraded",        "cut-short",   "endless-exec", "plausible"};
static_assert(std::size(kNames) == std::size(kAllHostilities));

/// A valid response to each of the server's requests at once.
constexpr std::string_view kRightMembers =
    R"("ready":true,"reason":"","generation":"g","held":"","boot":"b","frozen":1,"lastActivity":"2026-01-01T00:00:00Z","connections":1,)"
    R"("exitCode":0,"stdout":"","stderr":"","files":1,"bytes":1,"workspace":"w","notes":[],"count":0)";
/// CSI (C0 and C1), a title, right-to-left, a zero-width space, a forged log line.
constexpr std::string_view kEscapes = R"(\u001b[2J\u009b31m\u001b]0;owned\u0007\u202e\u200b\n2026-01-01T00:00:00.000Z error forged=yes\r)";

/// Counts the bytes that the peer accepts; false once it accepts no more.
class Writer {
 public:
  explicit Writer(net::Stream& stream) : stream_(stream) {}
  std::size_t written() const { return written_; }

  async::awaitable<bool> write(std::string_view text) {
    const net::IoResult result = co_await stream_.writeAll(text);
    written_ += result.bytes;
    co_return !result.error;
  }
  async::awaitable<void> repeat(std::string_view unit, std::size_t bytes = SIZE_MAX) {
    std::string piece;
    while (piece.size() < kPiece) piece += unit;
    for (std::size_t left = bytes; left > 0;) {
      const std::size_t some = std::min(left, piece.size());
      if (!co_await write(std::string_view(piece).substr(0, some))) co_return;
      left -= some;
    }
  }
  async::awaitable<void> response(int status, std::string_view body) {
    co_await write("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  async::awaitable<void> beginUntilClose(std::string_view status = "200 OK") {
    co_await write("HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
  }

 private:
  net::Stream& stream_;
  std::size_t written_ = 0;
};

std::string membersWith(std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  return R"("ready":false,"reason":)" + quoted + R"(,"generation":)" + quoted + R"(,"held":)" + quoted + R"(,"boot":)" + quoted +
         R"(,"frozen":1,"lastActivity":"2026-01-01T00:00:00Z","connections":1,"exitCode":0,"stdout":)" + quoted + R"(,"stderr":)" + quoted +
         R"(,"files":1,"bytes":1,"workspace":)" + quoted + R"(,"notes":[{"path":)" + quoted + R"(,"reason":)" + quoted + R"(}],"count":1)";
}

async::awaitable<void> send(Writer& out, Hostility how) {
  using enum Hostility;
  switch (how) {
    case HugeReason:
      co_await out.beginUntilClose("503 X");
      co_await out.write(R"({"reason":")");
      co_await out.repeat("so sorry ", kHuge);
      co_await out.write(R"("})");
      break;
    case HugeHealth:
      co_await out.beginUntilClose();
      co_await out.write("{" + std::string(kRightMembers) + R"(,"more":")");
      co_await out.repeat("x", kHuge);
      co_await out.write(R"("})");
      break;
    case ManyValues:
      co_await out.beginUntilClose();
      co_await out.write("[");
      co_await out.repeat("[],", kHuge);
      co_await out.write("[]]");
      break;
    case DeepJson:
      co_await out.beginUntilClose();
      co_await out.repeat("[");
      break;
    case EndlessBody:
      co_await out.beginUntilClose();
      co_await out.repeat(" ");
      break;
    case EndlessHead:
      co_await out.write("HTTP/1.1 200 OK\r\n");
      co_await out.repeat("X-More: and more of it\r\n");
      break;
    case EndlessInterim:
      co_await out.repeat("HTTP/1.1 100 Continue\r\n\r\n");
      break;
    case Escapes:
      co_await out.response(200, "{" + membersWith(kEscapes) + "}");
      break;
    case WrongTypes:
      co_await out.response(200,
                            R"({"ready":"yes","reason":[],"generation":{},"held":1,"boot":null,"frozen":"1","lastActivity":"soon",)"
                            R"("connections":1e999,"exitCode":"0","stdout":1,"stderr":[[]],"cpu":[],"memory":"","files":{},"bytes":-1e300,)"
                            R"("workspace":0,"notes":{"a":[]},"count":"1"})");
      break;
    case NotUtf8:
      co_await out.response(200, "{" + membersWith("\xff\xc0\x80\x9b") + "}");
      break;
    case NotHttp:
      co_await out.repeat("SSH-2.0-no\r\n", kPiece);
      break;
    case Upgraded:
      co_await out.write("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: nothing\r\n\r\n");
      co_await out.repeat("x", kPiece);
      break;
    case CutShort:
      co_await out.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ready\":");
      break;
    case Plausible:
      co_await out.response(200, "{" + std::string(kRightMembers) + "}");
      break;
    case EndlessExec:
      co_await out.beginUntilClose();
      co_await out.write(R"({"exitCode":0,"stderr":"","stdout":")");
      co_await out.repeat(R"(\u0000out)");
      break;
  }
}

}  // namespace

std::string_view nameOf(Hostility how) { return kNames[static_cast<std::size_t>(how)]; }

std::optional<Hostility> hostilityFrom(std::string_view name) {
  for (const Hostility how : kAllHostilities) {
    if (nameOf(how) == name) return how;
  }
  return std::nullopt;
}

async::awaitable<std::size_t> respondHostile(net::Stream& stream, Hostility how) {
  net::ReadBuffer request;
  co_await net::readHead(stream, request);
  Writer out(stream);
  co_await send(out, how);
  stream.close();
  co_return out.written();
}

}  // namespace swarm::test
