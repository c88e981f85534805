// TLS with an expected key: who is refused, with which message, and that nothing is sent to them.
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/error.h"
#include "net/connect.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_stream.h"
#include "protocol/ed25519.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using test::TestLoop;
using ::testing::HasSubstr;

const Secret kOwnKey(std::string(32, 'k'));
const Secret kForeignKey(std::string(32, 'f'));

awaitable<StreamPtr> connectWithKey(Connector plain, std::string public_key) {
  StreamPtr stream = co_await plain(soon());
  co_return co_await connectPinned(std::move(stream), std::move(public_key), soon());
}

/// A server that echoes bodies, and a client that expects the public half of kOwnKey.
class PinnedKey : public ::testing::Test {
 protected:
  void serve(std::shared_ptr<TlsContext> context) {
    HttpServerOptions options;
    options.tls = std::move(context);
    server_ = std::make_unique<HttpServer>(
        listenTcp(loop_.executor(), {"127.0.0.1", 0}),
        [this](Exchange& exchange) -> awaitable<void> {
          ++requests_;
          std::string body = co_await readAll(exchange.body(), 8 << 20);
          co_await exchange.respond(200, {}, body);
        },
        options);
    loop_.spawn(server_->run());
  }
  Connector plain() const {
    return [port = server_->port()](Deadline deadline) { return connectTcp({"127.0.0.1", port}, deadline); };
  }
  Connector pinned() const {
    return [connect = plain()](Deadline) { return connectWithKey(connect, ed25519::publicKeyOf(kOwnKey)); };
  }
  HttpResponse post(Connector connect, std::string body) {
    client_ = std::make_unique<HttpClient>(std::move(connect), HttpClientOptions{.host = "agent"});
    return loop_.run(client_->send({.method = "POST", .body = std::move(body)}, soon()));
  }
  std::string failure(Connector connect) {
    try {
      loop_.run(connectWithKey(std::move(connect), ed25519::publicKeyOf(kOwnKey)));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unavailable);
      return error.message();
    }
    return "it connected";
  }

  TestLoop loop_;
  int requests_ = 0;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(PinnedKey, carriesBodiesBothWaysToThePeerWithTheKey) {
  serve(makePinnedServer(kOwnKey));
  const std::string body(3 << 20, 'x');
  EXPECT_EQ(post(pinned(), body).body, body);
}

TEST_F(PinnedKey, aPeerWithAnotherKeyIsRefused) {
  serve(makePinnedServer(kForeignKey));
  EXPECT_THAT(failure(plain()), HasSubstr("the certificate was rejected: its key is not the expected one"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(PinnedKey, aCertificateOfAnAuthorityDoesNotReplaceTheKey) {
  test::TestAuthority authority;
  const test::CertificateFiles files = authority.issue("127.0.0.1");
  serve(makeTlsServer(files.certificate, files.key));
  EXPECT_THAT(failure(plain()), HasSubstr("its key is not the expected one"));
}

TEST_F(PinnedKey, olderVersionsOfTlsAreRefusedOnBothSides) {
  std::shared_ptr<TlsContext> context = makePinnedServer(kOwnKey);
  SSL_CTX_set_min_proto_version(context->get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context->get(), TLS1_2_VERSION);
  serve(context);
  EXPECT_THAT(failure(plain()), HasSubstr("protocol version"));

  serve(makePinnedServer(kOwnKey));
  std::shared_ptr<TlsContext> client = makeTlsClient({.serverName = "agent"});
  SSL_CTX_set_max_proto_version(client->get(), TLS1_2_VERSION);
  EXPECT_THROW(loop_.run(connectTls({"127.0.0.1", server_->port()}, client, soon())), Error);
  EXPECT_EQ(requests_, 0);
}

TEST_F(PinnedKey, aPeerWithoutTlsReceivesOneHelloAndNothingElse) {
  std::string received;
  test::RawServer peer(loop_, [&](StreamPtr stream, int) -> awaitable<void> {
    received = co_await test::readExactly(*stream, 5);
    co_await stream->writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    received += co_await test::readToEnd(*stream);
  });
  EXPECT_THAT(failure(peer.connector()), HasSubstr("The TLS handshake with"));
  loop_.runUntil([&] { return received.size() > 5; });
  EXPECT_EQ(received.substr(0, 2), "\x16\x03") << "a handshake record";
}

TEST_F(PinnedKey, aPeerThatClosesTheConnectionIsReportedAsThat) {
  test::RawServer peer(loop_, [](StreamPtr stream, int) -> awaitable<void> {
    stream->close();
    co_return;
  });
  EXPECT_THAT(failure(peer.connector()), HasSubstr("the peer closed the connection"));
}

TEST_F(PinnedKey, aClientWithoutTlsGetsTheReasonAndIsNotServed) {
  serve(makePinnedServer(kOwnKey));
  EXPECT_EQ(post(plain(), "x").status, 400);
  EXPECT_EQ(requests_, 0);
}

}  // namespace
}  // namespace swarm::net
