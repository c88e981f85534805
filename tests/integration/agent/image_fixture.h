// The agent of this build as process 1 of the workspace image, and a client that may speak with it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "agent/client/client.h"
#include "async/deadline.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "integration/agent/engine.h"

namespace swarm::agent {
using test::Container;
using test::TestLoop;

inline constexpr std::chrono::seconds kPatience{60};
inline constexpr std::string_view kHost = "work.localhost";

inline std::string imageName() {
  const char* image = std::getenv("SWARM_TEST_IMAGE");
  return image ? image : "swarm-workspace:latest";
}

inline std::string thisBuildsAgent() {
  std::ifstream file(SWARM_TEST_AGENT, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class AgentInImage : public testing::Test {
 protected:
  static constexpr std::string_view kInstance = "i-agent-image-test";

  /// What differs between tests: members of HostConfig, and of the agent's settings.
  struct Options {
    boost::json::object host{{"Tmpfs", boost::json::object{{"/data", "mode=0755"}}}};
    std::string members = R"("mounts":["/data"])";
    bool withSecret = false;  ///< a file with a secret, as before agents had public keys
    boost::json::array env = {};
  };

  AgentInImage() { begin(Options()); }
  explicit AgentInImage(Options options) { begin(std::move(options)); }
  void TearDown() override {
    if (HasFailure()) std::fprintf(stderr, "the container's log:\n%s\n", container_->logs().c_str());
  }

  /// A new container, instead of the one before.
  void begin(Options options) {
    container_.reset();
    key_.algorithm = options.withSecret ? TokenAlgorithm::Hmac : TokenAlgorithm::Ed25519;
    container_ = std::make_unique<Container>(loop_, containerConfig(options), files(options));
    startContainer();
  }
  void startContainer() {
    container_->start();
    port_ = container_->publishedPort(kPort);
    // The Engine's proxy takes connections before the agent does.
    waitUntil([](const AgentHealth&) { return true; });
  }

  boost::json::object containerConfig(const Options& options) const {
    boost::json::object host = options.host;
    boost::json::array env{"SWARM_OURS=hidden", "THEIRS=visible"};
    if (!options.withSecret) env.push_back(boost::json::string("SWARM_AGENT=" + settings("publicKey", options)));
    env.insert(env.end(), options.env.begin(), options.env.end());
    boost::json::object ports{{"7777/tcp", boost::json::array{boost::json::object{{"HostIp", "127.0.0.1"}, {"HostPort", ""}}}}};
    host["PortBindings"] = ports;
    return {{"Image", imageName()},
            {"Env", env},
            {"Labels", boost::json::object{{"swarm.test", "agent"}}},
            {"ExposedPorts", boost::json::object{{"7777/tcp", boost::json::object{}}}},
            {"HostConfig", host}};
  }
  std::string settings(std::string_view key, const Options& options) const {
    return format(R"({{"instanceId":"{}","{}":"{}",{}}})", kInstance, key, toHex(verifyingKeyOf(key_).bytes.reveal()), options.members);
  }
  std::vector<test::FileInContainer> files(const Options& options) const {
    std::vector<test::FileInContainer> made{{"usr/local/bin/swarm-agent", thisBuildsAgent(), 0755}};
    if (options.withSecret) made.push_back({"etc/swarm/agent.json", settings("secret", options), 0644});
    return made;
  }

  AgentTarget target() const {
    return {InstanceId(std::string(kInstance)), key_,
            [port = port_](Deadline deadline) { return net::connectTcp(net::HostPort{"127.0.0.1", port}, deadline); }};
  }
  Deadline soon() const { return Deadline::after(kPatience); }

  AgentHealth waitUntil(std::function<bool(const AgentHealth&)> holds) {
    return loop_.run(
        [](AgentTarget where, std::function<bool(const AgentHealth&)> good) -> awaitable<AgentHealth> {
          for (;;) {
            std::optional<AgentHealth> health;
            try {
              health = co_await getHealth(where, Deadline::after(std::chrono::seconds(5)));
            } catch (const Error&) {
              // The agent itself is still starting.
            }
            if (health && good(*health)) co_return *health;
            co_await async::sleepFor(std::chrono::milliseconds(20));
          }
        }(target(), std::move(holds)),
        kPatience);
  }
  /// Waits until VS Code is ready, in another process than that of `old_generation`.
  AgentHealth waitUntilReady(std::string old_generation = "") {
    return waitUntil([old = std::move(old_generation)](const AgentHealth& health) { return health.ready && health.generation != old; });
  }
  CommandResult run(std::string script, std::string user = "coder") {
    ExecRequest request;
    request.command = {"sh", "-c", std::move(script)};
    request.user = std::move(user);
    return loop_.run(agent::exec(target(), request, soon()), kPatience);
  }
  net::HttpResponse getFromVscode(std::string path) {
    net::HttpRequest request;
    request.target = std::move(path);
    return loop_.run(
        [](AgentTarget where, net::HttpRequest what) -> awaitable<net::HttpResponse> {
          net::HttpClientOptions options;
          options.host = kHost;
          net::HttpClient client([where](Deadline deadline) { return openVscodeTunnel(where, deadline); }, options);
          co_return co_await client.send(std::move(what), Deadline::after(kPatience));
        }(target(), std::move(request)),
        kPatience);
  }
  /// The page of a folder, with its redirects followed.
  std::string workbench() {
    auto response = getFromVscode("/");
    if (response.status == 302) {
      std::string where(net::findHeader(response.headers, "Location"));
      response = getFromVscode(where.substr(where.find('/')));
    }
    EXPECT_EQ(response.status, 200);
    return response.body;
  }

  TestLoop loop_;
  SigningKey key_{TokenAlgorithm::Ed25519, Secret(randomBytes(32))};
  std::unique_ptr<Container> container_;
  std::uint16_t port_ = 0;
};

}  // namespace swarm::agent
