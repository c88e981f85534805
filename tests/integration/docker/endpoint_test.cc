// Endpoints that are missing, forbidden, too old, no Engine at all, or on TCP and TLS.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>

#include "engine/transport/errors.h"
#include "engine/transport/transport.h"
#include "integration/docker/docker_test.h"
#include "integration/docker/own_engine.h"
#include "support/net/unix_listener.h"

namespace swarm::testing {
namespace {

class DockerEndpoint : public DockerTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/swarm-test-endpoint-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::chmod(folder_.c_str(), 0755);
  }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_.reset();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// What a first call on this endpoint throws.
  std::optional<Error> firstError(DockerProviderConfig config) {
    engine::Transport client(std::move(config));
    return errorOf([&] { runner_.run(client.connect(Deadline::after(std::chrono::seconds(5)))); });
  }

  /// A server that responds to every request with `body`: only for what the real Engine can't be brought to say.
  DockerProviderConfig scripted(std::string body) {
    DockerProviderConfig config;
    config.socketPath = folder_ / "scripted.sock";
    listener_ = net::listenUnix(runner_.context().get_executor(), config.socketPath);
    std::string response =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    asio::co_spawn(runner_.context(), serve(listener_.get(), std::move(response)), asio::detached);
    return config;
  }
  static asio::awaitable<void> serve(net::Listener* listener, std::string response) {
    net::StreamPtr stream = co_await listener->accept();
    std::vector<char> buffer(4096);
    while ((co_await stream->readSome(asio::buffer(buffer))).bytes > 0) co_await stream->writeAll(std::string_view(response));
  }

  void startEngine(OwnEngine::Options options) {
    engine_ = std::make_unique<OwnEngine>(std::move(options));
    ASSERT_TRUE(engine_->waitForSocket()) << engine_->log();
  }
  void openssl(const std::string& arguments) {
    std::string command = "cd " + folder_.string() + " && openssl " + arguments + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void makeCertificates();
  void liveWholeLife() {
    InstanceSpec wanted = spec();
    EXPECT_EQ(create(wanted).status, InstanceStatus::running);
    EXPECT_EQ(execute(wanted, {"cat"}, "through the endpoint").stdoutText, "through the endpoint");
    EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Changed) > 0; }));
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }

  std::filesystem::path folder_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<OwnEngine> engine_;
};

void DockerEndpoint::makeCertificates() {
  openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem");
  for (const char* name : {"server", "client"}) {
    std::string n = name;
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + n + " -keyout " + n + ".key -out " + n + ".csr");
    std::string extension = n == "server" ? "subjectAltName=IP:127.0.0.1" : "extendedKeyUsage=clientAuth";
    ASSERT_EQ(std::system(("echo " + extension + " > " + (folder_ / (n + ".ext")).string()).c_str()), 0);
    openssl("x509 -req -in " + n + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile " + n + ".ext -out " + n + ".pem");
  }
}

TEST_F(DockerEndpoint, aMissingSocketIsNamedWithWhatToDo) {
  DockerProviderConfig config;
  config.socketPath = folder_ / "none.sock";
  auto error = firstError(config);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  EXPECT_NE(error->message().find("none.sock"), std::string::npos) << error->message();
  EXPECT_NE(error->message().find("there is no such socket"), std::string::npos) << error->message();
}

TEST_F(DockerEndpoint, openDoesNotThrowWithoutAnEngineAndHealthSaysWhy) {
  DockerProviderConfig config;
  config.socketPath = folder_ / "none.sock";
  provider_ = makeDockerProvider(config, "test-swarm");
  runner_.run(provider_->open([](const ProviderEvent&) {}));
  EXPECT_EQ(provider_->health().status, ProviderHealth::unavailable);
  EXPECT_NE(provider_->health().detail.find("none.sock"), std::string::npos);
  auto checks = runner_.run(provider_->validate(soon()));
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_FALSE(checks[0].ok);
}

TEST_F(DockerEndpoint, aForbiddenSocketNamesTheGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  DockerProviderConfig config;
  config.socketPath = folder_ / "forbidden.sock";
  listener_ = net::listenUnix(runner_.context().get_executor(), config.socketPath);
  ::chmod(config.socketPath.c_str(), 0600);
  ASSERT_EQ(::seteuid(65534), 0);
  auto error = firstError(config);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  EXPECT_FALSE(error->retryable());
  EXPECT_NE(error->message().find("usermod -aG docker"), std::string::npos) << error->message();
}

TEST_F(DockerEndpoint, anEngineThatIsTooOldIsRefusedWithWhatToUpgrade) {
  auto error = firstError(scripted(R"({"Version":"19.03","ApiVersion":"1.40","MinAPIVersion":"1.12"})"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_NE(error->message().find("20.10"), std::string::npos) << error->message();
}

TEST_F(DockerEndpoint, anEngineThatIsTooNewIsRefused) {
  auto error = firstError(scripted(R"({"Version":"99","ApiVersion":"1.99","MinAPIVersion":"1.90"})"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
}

TEST_F(DockerEndpoint, somethingElseThanAnEngineIsSaid) {
  auto error = firstError(scripted(R"({"hello":"world"})"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::UpstreamFailed);
}

TEST(DockerVersions, theNewestThatBothKnowIsSpoken) {
  EXPECT_EQ(engine::chooseApiVersion({1, 12}, {1, 41}, "x"), (engine::ApiVersion{1, 41}));
  EXPECT_EQ(engine::chooseApiVersion({1, 44}, {1, 52}, "x"), (engine::ApiVersion{1, 52}));
  EXPECT_EQ(engine::chooseApiVersion({1, 44}, {1, 99}, "x"), engine::kNewestApi);
  EXPECT_FALSE(engine::parseApiVersion("one.two"));
}

TEST(DockerErrors, textsOfTheEngineAreUnderstood) {
  auto of = [](int status, const char* message) {
    return engine::engineError(status, std::string(R"({"message":")") + message + "\"}", "create the container");
  };
  EXPECT_EQ(of(500, "write /x: no space left on device").code(), ErrorCode::OutOfResources);
  Error port = of(500, "driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated");
  EXPECT_EQ(port.code(), ErrorCode::Conflict);
  EXPECT_NE(port.message().find("8080"), std::string::npos);
  EXPECT_EQ(of(409, "Conflict. The container name is in use").code(), ErrorCode::Conflict);
  EXPECT_EQ(of(500, "could not find an available, non-overlapping IPv4 address pool").code(), ErrorCode::OutOfResources);
  EXPECT_EQ(of(500, "something new").code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(of(500, "something new").upstream().status, 500);
  EXPECT_EQ(engine::engineMessage("plain text\n"), "plain text");
}

TEST_F(DockerEndpoint, aTcpEndpointCarriesAWholeLife) {
  if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
  std::uint16_t port = freePort();
  startEngine({.arguments = {"--host=tcp://127.0.0.1:" + std::to_string(port)}});
  DockerProviderConfig config;
  config.host = "127.0.0.1";
  config.port = port;
  // dockerd thinks twice before it listens on TCP without TLS.
  EXPECT_TRUE(runner_.waitFor([&] { return !firstError(config); })) << engine_->log();
  useEngine(config);
  liveWholeLife();
}

TEST_F(DockerEndpoint, aTlsEndpointWantsOurCertificateAndCarriesAWholeLife) {
  if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
  makeCertificates();
  std::uint16_t port = freePort();
  startEngine(
      {.arguments = {"--host=tcp://127.0.0.1:" + std::to_string(port), "--tlsverify", "--tlscacert=" + (folder_ / "ca.pem").string(),
                     "--tlscert=" + (folder_ / "server.pem").string(), "--tlskey=" + (folder_ / "server.key").string()}});
  DockerProviderConfig config;
  config.host = "127.0.0.1";
  config.port = port;
  config.tls = {true, folder_ / "ca.pem", {}, {}};
  auto without = firstError(config);
  ASSERT_TRUE(without) << "the Engine took us without a certificate";
  EXPECT_EQ(without->code(), ErrorCode::Unavailable) << without->message();
  config.tls = {true, folder_ / "ca.pem", folder_ / "client.pem", folder_ / "client.key"};
  useEngine(config);
  liveWholeLife();
}

TEST_F(DockerEndpoint, anUnreadableCertificateIsRefusedWhenTheProviderIsMade) {
  DockerProviderConfig config;
  config.host = "127.0.0.1";
  config.tls = {true, folder_ / "none.pem", {}, {}};
  auto error = errorOf([&] { makeDockerProvider(config, "test-swarm"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::InvalidArgument);
  EXPECT_NE(error->message().find("none.pem"), std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
