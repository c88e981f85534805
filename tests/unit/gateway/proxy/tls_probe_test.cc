// The probe against servers with and without TLS.
#include "gateway/proxy/tls_probe.h"

#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/test_certificates.h"
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

class LocalConnector final : public UpstreamConnector {
 public:
  awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute>, std::uint16_t port, Deadline deadline) override {
    co_return co_await net::connectTcp({"127.0.0.1", port}, deadline);
  }
};

bool probe(std::shared_ptr<net::TlsContext> tls) {
  test::TestLoop loop;
  net::HttpServerOptions options;
  options.tls = std::move(tls);
  auto handler = [](net::Exchange& exchange) -> awaitable<void> { co_await exchange.respond(200, {}, "hello"); };
  net::HttpServer server(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), handler, options);
  loop.spawn(server.run());
  LocalConnector connector;
  const bool speaks = loop.run(speaksTls(connector, nullptr, server.port()));
  server.stop();
  return speaks;
}

TEST(TlsProbe, recognizesATlsServer) {
  test::TestAuthority authority;
  const auto files = authority.issue("localhost");
  EXPECT_TRUE(probe(net::makeTlsServer(files.certificate, files.key)));
  EXPECT_FALSE(probe(nullptr));
}

TEST(TlsProbe, reportsNoTlsForAnUnreachableServer) {
  test::TestLoop loop;
  LocalConnector connector;
  const auto port = net::listenTcp(loop.executor(), {"127.0.0.1", 0})->port();
  EXPECT_FALSE(loop.run(speaksTls(connector, nullptr, port)));
}

}  // namespace
}  // namespace swarm::gateway::testing
