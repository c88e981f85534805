// TLS and mutual TLS with test certificates; what is refused, and the error messages.
#include <gtest/gtest.h>

#include "base/error.h"
#include "net/connect.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using test::TestLoop;

/// A TLS server that echoes request bodies.
struct TlsServer {
  explicit TlsServer(test::TestAuthority& its_authority, const std::filesystem::path& client_ca = {}) : authority(its_authority) {
    const test::CertificateFiles files = authority.issue("127.0.0.1");
    HttpServerOptions options;
    options.tls = makeTlsServer(files.certificate, files.key, client_ca);
    server = std::make_unique<HttpServer>(
        listenTcp(loop.executor(), {"127.0.0.1", 0}),
        [](Exchange& e) -> awaitable<void> {
          EXPECT_TRUE(e.stream().isTls());
          EXPECT_EQ(e.stream().bareSocket(), nullptr);  // otherwise splice() would send plain text
          std::string body = co_await readAll(e.body(), 8 << 20);
          co_await e.respond(200, {}, body);
        },
        options);
    loop.spawn(server->run());
  }
  HttpResponse send(const TlsClientOptions& options, const std::string& body) {
    const std::shared_ptr<TlsContext> context = makeTlsClient(options);
    client = std::make_unique<HttpClient>(
        [context, port = server->port()](Deadline deadline) { return connectTls({"127.0.0.1", port}, context, deadline); },
        HttpClientOptions{.host = "tls"});
    return loop.run(client->send({.method = "POST", .body = body}, soon()));
  }
  std::string failure(const TlsClientOptions& options) {
    try {
      send(options, "x");
    } catch (const Error& error) {
      return error.message();
    }
    return "it worked";
  }
  test::TestAuthority& authority;
  TestLoop loop;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HttpClient> client;
};

TEST(Tls, carriesLargeBodiesBothWaysOnOneConnection) {
  test::TestAuthority authority;
  TlsServer server(authority);
  const std::string body(3 << 20, 'x');
  EXPECT_EQ(server.send({.ca = authority.ca()}, body).body, body);
  EXPECT_EQ(server.loop.run(server.client->send({.method = "POST", .body = "again"}, soon())).body, "again");
}

TEST(Tls, refusesAnUnknownAuthority) {
  test::TestAuthority authority;
  test::TestAuthority other("Other CA");
  TlsServer server(authority);
  EXPECT_NE(server.failure({.ca = other.ca()}).find("the certificate was rejected"), std::string::npos);
}

TEST(Tls, refusesAWrongName) {
  test::TestAuthority authority;
  TlsServer server(authority);
  const std::string message = server.failure({.ca = authority.ca(), .serverName = "engine.example"});
  EXPECT_NE(message.find("ostname mismatch"), std::string::npos) << message;
}

TEST(Tls, takesAClientCertificateWhenTheServerRequiresOne) {
  test::TestAuthority authority;
  TlsServer server(authority, authority.ca());
  const test::CertificateFiles client = authority.issue("client");
  EXPECT_EQ(server.send({.ca = authority.ca(), .certificate = client.certificate, .key = client.key}, "hello").body, "hello");
}

TEST(Tls, refusesAClientWithoutCertificateOrWithAForeignOne) {
  test::TestAuthority authority;
  test::TestAuthority other("Other CA");
  TlsServer server(authority, authority.ca());
  const std::string message = server.failure({.ca = authority.ca()});
  EXPECT_NE(message.find("certificate required"), std::string::npos) << message;
  const test::CertificateFiles foreign = other.issue("client");
  EXPECT_NE(server.failure({.ca = authority.ca(), .certificate = foreign.certificate, .key = foreign.key}), "it worked");
}

TEST(Tls, namesTheFileThatItCantUse) {
  test::TestAuthority authority;
  const test::CertificateFiles files = authority.issue("a");
  for (const TlsClientOptions& options :
       {TlsClientOptions{.ca = "/nonexistent/ca.pem"}, TlsClientOptions{.certificate = files.certificate, .key = "/nonexistent/key.pem"}}) {
    try {
      makeTlsClient(options);
      FAIL() << "it was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      EXPECT_NE(error.message().find("/nonexistent/"), std::string::npos) << error.message();
    }
  }
  EXPECT_THROW(makeTlsClient({.certificate = files.certificate}), Error);
}

TEST(Tls, aPeerThatSaysNothingEndsTheHandshakeAtTheDeadline) {
  TestLoop loop;
  test::RawServer server(loop, [](StreamPtr stream, int) -> awaitable<void> { co_await test::readToEnd(*stream); });
  try {
    loop.run(connectTls(server.address(), makeTlsClient({}), Deadline::after(std::chrono::milliseconds(20))));
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  }
}

TEST(Tls, aPeerThatSendsPlainTextIsRefused) {
  TestLoop loop;
  test::RawServer server(loop, [](StreamPtr stream, int) -> awaitable<void> {
    co_await stream->writeAll(std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n"));
    co_await test::readToEnd(*stream);
  });
  EXPECT_THROW(loop.run(connectTls(server.address(), makeTlsClient({}), soon())), Error);
}

}  // namespace
}  // namespace swarm::net
