// TLS to the API and to the edge, and what is not sent to a server whose certificate does not verify.
#include "agent/client/client.h"
#include "base/id.h"
#include "conformance/provider/fly/fly_fixture.h"
#include "conformance/provider/fly/fly_memory_backend.h"
#include "provider/flyio/flyio_provider.h"
#include "support/net/test_certificates.h"

namespace swarm::testing {
namespace {

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class FlyTls : public ::testing::Test {
 protected:
  /// A running instance, and the way to its agent.
  agent::AgentTarget create() {
    InstanceSpec spec{place_, "one", "ada", {}, R"({"instanceId":"x"})", {}};
    spec.config.name = spec.name;
    spec.config.image = "workspace";
    spec.config.storage = {{1, true, "/home/coder", ""}};
    ProviderInstance made = runner_.run(provider_->createInstance(spec, progress_, soon()));
    EXPECT_EQ(made.status, InstanceStatus::running);
    return {InstanceId("x"),
            {TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
            runner_.run(provider_->agentEndpoint(spec.placeId, soon()))};
  }
  static emulator::EmulatorOptions options() {
    emulator::EmulatorOptions made;
    made.rateLimits = emulator::RateLimits::Off;
    return made;
  }
  ProviderPtr makeProvider(FlyIOProviderConfig config) {
    return std::make_unique<flyio::FlyIOProvider>(std::move(config), "swarm-1", world_.clock(), FlyWorld::quickTuning());
  }

  CoroutineRunner runner_;
  NoProgress progress_;
  const PlaceId place_{newId("i")};
  FlyWorld world_{runner_, makeTestMemoryBackend, options(), Transport::Tls};
  ProviderPtr provider_ = makeProvider(world_.providerConfig());
};

TEST_F(FlyTls, carriesHealthCommandsAndTheTunnelToVsCodeThroughTheEdge) {
  agent::AgentTarget target = create();
  EXPECT_TRUE(runner_.run(agent::getHealth(target, soon())).ready);
  agent::ExecRequest request;
  request.command = {"echo", "hello"};
  EXPECT_EQ(runner_.run(agent::exec(target, request, soon())).stdoutText, "hello\n");
  net::StreamPtr tunnel = runner_.run(agent::openVscodeTunnel(target, soon()));
  EXPECT_TRUE(tunnel->isTls());
  auto talk = [](net::Stream& stream) -> asio::awaitable<std::string> {
    co_await stream.writeAll(std::string_view("GET / HTTP/1.1\r\nHost: one.localhost\r\nConnection: close\r\n\r\n"));
    std::string all;
    std::vector<char> buffer(4096);
    for (;;) {
      net::IoResult got = co_await stream.readSome(asio::buffer(buffer));
      all.append(buffer.data(), got.bytes);
      if (got.error) co_return all;
    }
  };
  std::string page = runner_.run(talk(*tunnel));
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200")) << page;
  EXPECT_NE(page.find("A simulated Machine"), std::string::npos) << page;
}

TEST_F(FlyTls, anApiOfAnUnknownAuthorityIsReportedAsThat) {
  test::TestAuthority other("Other CA");
  FlyIOProviderConfig config = world_.providerConfig();
  config.caFile = other.ca();
  ProviderPtr stranger = makeProvider(config);
  try {
    runner_.run(stranger->listInstances({}, soon()));
    FAIL() << "it was believed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("certificate was rejected"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find(config.apiBaseUrl), std::string::npos) << error.message();
  }
}

TEST_F(FlyTls, theSystemsAuthoritiesAreTrustedWhenNoFileIsNamed) {
  FlyIOProviderConfig config = world_.providerConfig();
  config.caFile.clear();
  EXPECT_THROW(runner_.run(makeProvider(config)->listInstances({}, soon())), Error);
  ::setenv("SSL_CERT_FILE", world_.caFile().c_str(), 1);
  EXPECT_TRUE(runner_.run(makeProvider(config)->listInstances({}, soon())).complete);
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(FlyTls, aFileOfAuthoritiesThatCannotBeReadIsAWrongConfiguration) {
  FlyIOProviderConfig config = world_.providerConfig();
  config.caFile = "/no/such/ca.pem";
  try {
    makeProvider(config);
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(error.message().find("/no/such/ca.pem"), std::string::npos) << error.message();
  }
}

TEST_F(FlyTls, anEdgeWithAnotherNameInItsCertificateGetsNoToken) {
  agent::AgentTarget target = create();
  FlyIOProviderConfig config = world_.providerConfig();
  std::string port = config.appUrl.substr(config.appUrl.rfind(':'));
  config.appUrl = "https://127.0.0.1" + port;  // the certificate says *.fly.localhost
  ProviderPtr misled = makeProvider(config);
  target.endpoint = runner_.run(misled->agentEndpoint(place_, soon()));
  try {
    runner_.run(agent::getHealth(target, soon()));
    FAIL() << "it was believed";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("IP address mismatch"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace swarm::testing
