// HttpServer with TLS against clients that are old, in a hurry, silent, or speak something else.
#include <gmock/gmock.h>

#include "async/deadline.h"
#include "base/error.h"
#include "net/http/http_server.h"
#include "net/stream/forwarding_stream.h"
#include "net/tls/server_certificate.h"
#include "net/tls/tls_stream.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/memory_use.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using test::TestLoop;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

class TlsServerTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    options.tls = certificate.context();
    options.always = {{"Strict-Transport-Security", "max-age=1"}};
    auto handler = [](Exchange& exchange) -> awaitable<void> {
      co_await exchange.respond(200, {}, co_await readAll(exchange.body(), 8 << 20));
    };
    server = std::make_unique<HttpServer>(listenTcp(loop.executor(), {"127.0.0.1", 0}), handler, std::move(options));
    loop.spawn(server->run());
  }
  HostPort address() const { return {"127.0.0.1", server->port()}; }
  StreamPtr connectPlain() { return loop.run(connectTcp(address(), soon())); }
  /// A TLS client after its handshake, or the reason why there is none.
  std::unique_ptr<TlsStream> connect(const TlsContext& context, error_code* failure = nullptr, SSL_SESSION* session = nullptr) {
    auto stream = std::make_unique<TlsStream>(connectPlain(), context, TlsStream::Side::Client);
    stream->setDeadline(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    if (session != nullptr) SSL_set_session(stream->ssl(), session);
    const error_code error = loop.run(stream->handshake());
    if (failure != nullptr) *failure = error;
    if (failure == nullptr) EXPECT_FALSE(error) << error.message();
    return stream;
  }
  std::shared_ptr<TlsContext> trusting() const { return makeTlsClient({.ca = authority.ca()}); }

  static awaitable<std::string> askOn(Stream& stream, std::string request, std::string end) {
    co_await stream.writeAll(request);
    co_return co_await test::readUntil(stream, end);
  }
  std::string ask(Stream& stream, std::string request = std::string(kGet), std::string end = "\r\n\r\n") {
    return loop.run(askOn(stream, std::move(request), std::move(end)));
  }
  static awaitable<void> write(Stream& stream, std::string text) { co_await stream.writeAll(text); }
  std::string readToEnd(Stream& stream) { return loop.run(test::readToEnd(stream)); }

  TestLoop loop;
  test::TestAuthority authority;
  RealClock clock;
  test::CertificateFiles files = authority.issue("127.0.0.1");
  ServerCertificate certificate{files.certificate, files.key, clock};
  std::unique_ptr<HttpServer> server;
};

TEST_F(TlsServerTest, speaksTls12And13AndNothingOlder) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto client = trusting();
    SSL_CTX_set_max_proto_version(client->get(), version);
    const auto stream = connect(*client);
    EXPECT_EQ(SSL_version(stream->ssl()), version);
    EXPECT_THAT(ask(*stream), HasSubstr("Strict-Transport-Security: max-age=1\r\n"));
  }
  const auto old = trusting();
  SSL_CTX_set_security_level(old->get(), 0);
  SSL_CTX_set_min_proto_version(old->get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old->get(), TLS1_1_VERSION);
  error_code failure;
  connect(*old, &failure);
  EXPECT_THAT(failure.message(), HasSubstr("protocol version"));
}

/// A stream that loses what is written while it fails.
class FailingStream final : public ForwardingStream {
 public:
  using ForwardingStream::ForwardingStream;
  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override {
    if (fails) co_return IoResult{asio::error::timed_out};
    co_return co_await inner_->writeAll(buffers);
  }
  bool fails = false;
};

TEST_F(TlsServerTest, nothingIsSentAfterALostRecord) {
  start();
  const auto context = trusting();
  auto inner = std::make_unique<FailingStream>(connectPlain());
  FailingStream& plain = *inner;
  TlsStream stream(std::move(inner), *context, TlsStream::Side::Client);
  stream.setDeadline(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  ASSERT_FALSE(loop.run(stream.handshake()));
  auto send = [&] { return loop.run(static_cast<Stream&>(stream).writeAll(kGet)).error; };
  plain.fails = true;
  EXPECT_EQ(send(), asio::error::timed_out);
  plain.fails = false;
  EXPECT_EQ(send(), asio::error::timed_out) << "the peer cannot read what follows the lost record";
}

TEST_F(TlsServerTest, refusesCiphersWithoutForwardSecrecy) {
  start();
  const auto old = trusting();
  SSL_CTX_set_max_proto_version(old->get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(old->get(), "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA");
  error_code failure;
  connect(*old, &failure);
  EXPECT_THAT(failure.message(), HasSubstr("handshake failure"));
}

TEST_F(TlsServerTest, agreesOnHttp11) {
  start();
  const auto browser = trusting();
  static constexpr unsigned char kOffer[] = "\x02h2\x08http/1.1";
  SSL_CTX_set_alpn_protos(browser->get(), kOffer, sizeof kOffer - 1);
  const auto stream = connect(*browser);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream->ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  const auto other = trusting();
  SSL_CTX_set_alpn_protos(other->get(), kOffer, 3);
  error_code failure;
  connect(*other, &failure);
  EXPECT_THAT(failure.message(), HasSubstr("no application protocol"));
}

TEST_F(TlsServerTest, resumesASessionUntilTheCertificateIsRenewed) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto client = trusting();
    SSL_CTX_set_max_proto_version(client->get(), version);
    const auto first = connect(*client);
    ask(*first);  // tickets of TLS 1.3 arrive with the response
    SSL_SESSION* session = SSL_get1_session(first->ssl());
    const auto second = connect(*client, nullptr, session);
    EXPECT_EQ(SSL_session_reused(second->ssl()), 1) << version;
    EXPECT_THAT(ask(*second), StartsWith("HTTP/1.1 200 "));
    certificate.reload();
    EXPECT_EQ(SSL_session_reused(connect(*client, nullptr, session)->ssl()), 0) << "the key of the tickets is replaced";
    SSL_SESSION_free(session);
  }
}

TEST_F(TlsServerTest, carriesWhatIsWrittenInOneRecordOrMany) {
  start();
  const auto client = trusting();
  const auto stream = connect(*client);
  for (const std::size_t size : {0, 1, 1000, 16'000, 16'384, 16'385, 70'000, 3'000'000}) {
    const std::string body(size, static_cast<char>('a' + size % 7));
    const std::string response =
        ask(*stream, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size + 1) + "\r\n\r\n" + body + "!", body + "!");
    EXPECT_TRUE(response.ends_with("\r\n\r\n" + body + "!")) << size;
  }
}

TEST_F(TlsServerTest, sendsASmallResponseInOneRecord) {
  start();
  const auto client = trusting();
  const auto stream = connect(*client);
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  ask(*stream, request, "body");
  int records = 0;
  SSL_set_msg_callback_arg(stream->ssl(), &records);
  SSL_set_msg_callback(stream->ssl(), [](int written, int, int type, const void*, std::size_t, SSL*, void* count) {
    if (written == 0 && type == SSL3_RT_HEADER) ++*static_cast<int*>(count);
  });
  ask(*stream, request, "body");
  EXPECT_EQ(records, 1);
}

TEST_F(TlsServerTest, answersPlainHttpWithAHint) {
  start();
  for (const std::string& request : {std::string(kGet), std::string("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"),
                                     std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}) {
    const StreamPtr stream = connectPlain();
    loop.run(write(*stream, request));
    const std::string response = readToEnd(*stream);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(response, HasSubstr("https://"));
    EXPECT_THAT(response, Not(HasSubstr("Strict-Transport-Security"))) << "must not be sent without TLS";
  }
}

TEST_F(TlsServerTest, closesOnGarbage) {
  start();
  for (const std::string& garbage :
       {std::string(1, '\0'), std::string(5000, '\xff'), std::string("\x16\x03\x01\xff\xff") + std::string(70'000, 'x'),
        std::string("\x16\x03\x01\x00\x05\x63\x00\x00\x01x", 10), std::string("\x80\x2e\x01\x00\x02"), std::string("\r\n\r\n")}) {
    const StreamPtr stream = connectPlain();
    loop.run(write(*stream, garbage));
    EXPECT_THAT(readToEnd(*stream), Not(HasSubstr("HTTP/")));
  }
  const auto client = trusting();
  EXPECT_THAT(ask(*connect(*client)), StartsWith("HTTP/1.1 200 "));
}

/// A ClientHello that lacks its end.
std::string halfHello() { return std::string("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11) + std::string(40, 'r'); }

TEST_F(TlsServerTest, endsAHandshakeAtItsDeadline) {
  start({.handshakeTimeout = std::chrono::milliseconds(20)});
  for (const std::string& begun : {std::string(), std::string("\x16"), halfHello()}) {
    const StreamPtr stream = connectPlain();
    loop.run(write(*stream, begun));
    EXPECT_EQ(readToEnd(*stream), "");
  }
}

/// Each byte comes in time for a limit of the silence, as many for hours.
TEST_F(TlsServerTest, endsAHandshakeThatComesByteByByteAtTheSameDeadline) {
  start({.handshakeTimeout = std::chrono::milliseconds(20)});
  const std::string hello =
      std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11) + std::string(0x4000 - 6, 'x');  // the largest record
  const StreamPtr stream = connectPlain();
  const std::size_t sent = loop.run([](Stream& wire, std::string text) -> awaitable<std::size_t> {
    std::size_t count = 0;
    while (count < text.size() && !(co_await wire.writeAll(text.substr(count, 1))).error) {
      ++count;
      co_await async::sleepFor(std::chrono::milliseconds(2));
    }
    co_return count;
  }(*stream, hello));
  EXPECT_LT(sent, hello.size());
}

class HalfOpen : public TlsServerTest, public testing::WithParamInterface<const char*> {};

TEST_P(HalfOpen, handshakesGiveWayAtALimit) {
  constexpr std::size_t kLimit = 8;
  start({.handshakeTimeout = std::chrono::hours(1), .maxConnections = kLimit});
  const std::string begun = GetParam() == std::string("half a ClientHello") ? halfHello() : std::string();
  std::vector<StreamPtr> held;
  for (std::size_t i = 0; i < 3 * kLimit; ++i) {
    held.push_back(connectPlain());
    loop.run(write(*held.back(), begun));
  }
  const auto client = trusting();
  const auto stream = connect(*client);
  EXPECT_THAT(ask(*stream), StartsWith("HTTP/1.1 200 "));
  for (std::size_t i = 0; i < 2 * kLimit; ++i) EXPECT_EQ(readToEnd(*held[i]), "") << "the server has closed it";
}

TEST_P(HalfOpen, handshakesEndWithTheServer) {
  start({.handshakeTimeout = std::chrono::hours(1)});
  const StreamPtr stream = connectPlain();
  if (GetParam() == std::string("half a ClientHello")) loop.run(write(*stream, halfHello()));
  ask(*connect(*trusting()));  // the earlier connection was accepted before this one
  server->stop();
  EXPECT_EQ(readToEnd(*stream), "");
}

INSTANTIATE_TEST_SUITE_P(Clients, HalfOpen, testing::Values("silent", "half a ClientHello"),
                         [](const auto& info) { return info.param == std::string("silent") ? "silent" : "halfClientHello"; });

TEST_F(TlsServerTest, keepsLittleForAnIdleConnection) {
  start();
  const auto client = trusting();
  const std::string large(300'000, 'x');
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + large;
  ask(*connect(*client), request, large);
  constexpr std::size_t kConnections = 50;
  std::vector<std::unique_ptr<TlsStream>> idle;
  idle.reserve(kConnections);
  const std::size_t before = test::allocatedBytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    ask(*idle.emplace_back(connect(*client)), request, large);
    ask(*idle.back());
  }
  EXPECT_LT((test::allocatedBytes() - before) / kConnections, 160 * 1024U) << "bytes of a connection, both of its ends";
}

}  // namespace
}  // namespace swarm::net
