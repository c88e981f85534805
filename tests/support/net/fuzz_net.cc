// Invariants of heads and chunked bodies for any input.
#include "support/net/fuzz_net.h"

#include "base/diagnostics/check.h"
#include "net/http/grammar/relaxed_head.h"
#include "net/http/http.h"
#include "support/coroutine_test.h"

namespace swarm::test {
namespace {

void checkClean(std::string_view text) {
  for (const char c : text) SWARM_CHECK(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
}

void checkWithin(std::string_view part, std::string_view whole) {
  checkClean(part);
  SWARM_CHECK(part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

std::string format(const net::RequestHead& head) {
  std::string text = std::string(head.method) + " " + std::string(head.target) + " HTTP/1." + std::to_string(head.minorVersion) + "\r\n";
  for (const net::HeaderView& field : head.headers.all()) text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  return text + "\r\n";
}

int countFields(const net::HeaderViews& headers, std::string_view name) {
  int found = 0;
  for (const net::HeaderView& field : headers.all()) found += net::equalsIgnoreCase(field.name, name) ? 1 : 0;
  return found;
}

void checkRequest(std::string_view input, net::OddPaths odd_paths) {
  net::RequestHead head;
  if (!net::parseRequestHead(input, head, odd_paths)) return;
  SWARM_CHECK(!head.oddPath || odd_paths == net::OddPaths::Mark);
  SWARM_CHECK(input.ends_with("\r\n\r\n"));
  checkWithin(head.method, input);
  checkWithin(head.host, input);
  if (head.target != "/") checkWithin(head.target, input);
  SWARM_CHECK(!head.host.empty() && !head.method.empty());
  SWARM_CHECK(head.target == "*" || head.target.starts_with('/'));
  SWARM_CHECK(!head.target.starts_with("//") || head.oddPath);
  SWARM_CHECK(!head.path().contains("/../") && !head.path().ends_with("/..") && !head.path().contains('\\') && !head.target.contains(' '));
  SWARM_CHECK(countFields(head.headers, "Host") == 1);
  const int framings = countFields(head.headers, "Content-Length") + countFields(head.headers, "Transfer-Encoding");
  SWARM_CHECK(framings <= 1);
  SWARM_CHECK((head.body.kind == net::BodyKind::Chunked) == (countFields(head.headers, "Transfer-Encoding") == 1));
  for (const net::HeaderView& field : head.headers.all()) {
    checkWithin(field.name, input);
    checkWithin(field.value, input);
  }
  const std::string written = format(head);
  net::RequestHead again;
  if (written.size() > net::kMaxHeadBytes) return;
  SWARM_CHECK(net::parseRequestHead(written, again, odd_paths).has_value());
  SWARM_CHECK(again.target == head.target && again.host == head.host && again.keepAlive == head.keepAlive);
  SWARM_CHECK(again.body.kind == head.body.kind && again.body.length == head.body.length);
  SWARM_CHECK(again.headers.all().size() == head.headers.all().size());
}

void checkResponse(std::string_view input) {
  net::ResponseHead head;
  if (!net::parseResponseHead(input, "GET", head)) return;
  SWARM_CHECK(head.status >= 100 && head.status <= 999);
  checkWithin(head.reason, input);
  for (const net::HeaderView& field : head.headers.all()) {
    checkWithin(field.name, input);
    checkWithin(field.value, input);
  }
}

// A mended head needs no mending, and a valid head has the same meaning after mending.
void checkMended(std::string_view input) {
  const std::optional<std::string> mended = net::mendResponseHead(input);
  net::ResponseHead head, again;
  const bool good = net::parseResponseHead(input, "GET", head).has_value();
  SWARM_CHECK(mended || !good);
  if (!mended) return;
  const bool accepted = net::parseResponseHead(*mended, "GET", again).has_value();
  SWARM_CHECK(accepted || !good || mended->size() > net::kMaxHeadBytes);
  if (!accepted) return;
  SWARM_CHECK(mended->find("\r\n\r\n") == mended->size() - 4);
  const std::optional<std::string> twice = net::mendResponseHead(*mended);
  SWARM_CHECK(twice && net::parseResponseHead(*twice, "GET", again).has_value());
  if (good) SWARM_CHECK(again.status == head.status && again.body.kind == head.body.kind && again.body.length == head.body.length);
}

struct Decoded {
  std::string body;
  std::string rest;
  bool failed = false;
};

awaitable<void> feed(net::Stream& stream, std::string_view bytes) {
  co_await stream.writeAll(bytes);
  co_await stream.shutdownWrite();
}

awaitable<void> decode(net::Stream& stream, std::size_t piece_bytes, net::Grammar grammar, Decoded& decoded) {
  net::ReadBuffer buffer(32);
  net::BodyReader reader(stream, buffer, {net::BodyKind::Chunked}, grammar);
  std::string piece(piece_bytes, '\0');
  while (!reader.done()) {
    const net::IoResult got = co_await reader.readSome(asio::buffer(piece));
    decoded.body.append(piece, 0, got.bytes);
    decoded.failed = static_cast<bool>(got.error);
    if (got.error) break;
  }
  char rest[256];
  decoded.rest = buffer.data();
  while (!decoded.failed) {
    const net::IoResult got = co_await stream.readSome(asio::buffer(rest));
    if (got.error) break;
    decoded.rest.append(rest, got.bytes);
  }
}

Decoded decodeThrough(std::string_view input, std::size_t capacity, std::size_t piece, net::Grammar grammar) {
  TestLoop loop;
  auto [near_end, far_end] = net::makePipe(loop.executor(), capacity);
  Decoded decoded;
  loop.spawn(feed(*far_end, input));
  loop.run(decode(*near_end, piece, grammar, decoded));
  return decoded;
}

}  // namespace

void fuzzHttpHead(std::string_view input) {
  for (const net::OddPaths odd_paths : {net::OddPaths::Refuse, net::OddPaths::Mark}) checkRequest(input, odd_paths);
  checkResponse(input);
  checkMended(input);
}

void fuzzChunkedBody(std::string_view input) {
  if (input.size() > 4096) return;
  const Decoded strict = decodeThrough(input, 64 * 1024, 8192, net::Grammar::Strict);
  for (const net::Grammar grammar : {net::Grammar::Strict, net::Grammar::Relaxed}) {
    const Decoded whole = decodeThrough(input, 64 * 1024, 8192, grammar);
    const Decoded cut = decodeThrough(input, 1, 3, grammar);
    SWARM_CHECK(whole.failed == cut.failed);
    if (!whole.failed) SWARM_CHECK(whole.rest == cut.rest);
    SWARM_CHECK(whole.body == cut.body);
    // Relaxed accepts more, and interprets nothing differently.
    if (!strict.failed) SWARM_CHECK(!whole.failed && whole.body == strict.body && whole.rest == strict.rest);
  }
}

}  // namespace swarm::test
