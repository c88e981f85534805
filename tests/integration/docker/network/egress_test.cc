// Egress policies at a real Engine, by trying to cross. The rules are set by the workspace image (SWARM_TEST_IMAGE), which has nft.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/text/format.h"
#include "integration/docker/docker_test.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

/// A program on the Engine's machine that responds to every connection, at all of its addresses.
class HostProgram {
 public:
  HostProgram() : socket_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {  // for IPv4, too
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(socket_, 16) != 0)
      throw std::runtime_error("no port is free");
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin6_port);
    thread_ = std::thread([this] {
      for (int client = 0; (client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(client)) {
        std::array<char, 512> request{};
        [[maybe_unused]] auto read = ::read(client, request.data(), request.size());
        constexpr std::string_view response = "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhost";
        [[maybe_unused]] auto written = ::write(client, response.data(), response.size());
      }
    });
  }
  ~HostProgram() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  HostProgram(const HostProgram&) = delete;
  HostProgram& operator=(const HostProgram&) = delete;
  int port() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
  std::thread thread_;
};

class DockerEgress : public DockerTest {
 protected:
  void SetUp() override {
    const char* image = std::getenv("SWARM_TEST_IMAGE");
    if (!image) GTEST_SKIP() << "SWARM_TEST_IMAGE names no workspace image, whose nft sets the rules";
    image_ = image;
    useEngine(configured());
    one_ = spec();
    create(one_);
  }
  DockerProviderConfig configured() const {
    DockerProviderConfig config = testEngineConfig();
    config.workspaceImage = image_;
    return config;
  }
  EgressRules limit(EgressPolicy policy, std::vector<std::string> allow = {}) {
    NetworkConfig network;
    network.egress = EgressConfig{policy, std::move(allow)};
    return runner_.run(provider_->egress()->setRules(one_.placeId, std::move(network), soon()));
  }
  std::int64_t denied() { return runner_.run(provider_->egress()->countDenied(one_.placeId, soon())); }

  std::string containerOf(const InstanceSpec& which) { return fixture_->engine().containerOf(fixture_->swarmId(), which.placeId); }
  json::value network(const InstanceSpec& which, const std::string& name) {
    return fixture_->engine().get("/containers/" + containerOf(which) + "/json").at("NetworkSettings").at("Networks").at(name);
  }
  std::string ownNetwork(const InstanceSpec& which) { return docker::planNetwork(which, {}, fixture_->swarmId()).name; }
  std::string gateway() { return engine::stringAt(network(one_, ownNetwork(one_)), "Gateway"); }
  std::string addressOf(const InstanceSpec& which) { return engine::stringAt(network(which, ownNetwork(which)), "IPAddress"); }
  /// A network of that range on which both are, as an administrator may connect them; the address of `peer` there.
  std::string share(const std::string& subnet, const InstanceSpec& peer) {
    const bool is_v6 = subnet.find(':') != std::string::npos;
    std::string name = format("{}-{}", fixture_->swarmId(), subnet.substr(0, subnet.find('/')));
    std::ranges::replace(name, ':', '-');
    json::object ipam{{"Config", json::array{json::object{{"Subnet", subnet}}}}};
    json::object labels{{docker::kLabelSwarm, fixture_->swarmId()}};
    engine::Reply made = fixture_->engine().send(
        "POST", "/networks/create",
        json::object{{"Name", name}, {"IPAM", std::move(ipam)}, {"EnableIPv6", is_v6}, {"Labels", std::move(labels)}});
    EXPECT_TRUE(made.ok()) << made.body;
    for (const InstanceSpec& which : {one_, peer})
      EXPECT_TRUE(fixture_->engine().send("POST", "/networks/" + name + "/connect", json::object{{"Container", containerOf(which)}}).ok());
    return engine::stringAt(network(peer, name), is_v6 ? "GlobalIPv6Address" : "IPAddress");
  }
  /// Whether a program inside gets a response there. (wget of Debian's static busybox ends with a segmentation fault.)
  bool reaches(const std::string& address, int port = 7777) {
    const std::vector<std::string> command{"/bin/busybox", "nc", "-w", "2", address, std::to_string(port)};
    return execute(one_, command, "GET / HTTP/1.0\r\n\r\n").stdoutText.starts_with("HTTP/1.");
  }
  std::size_t helpers() {
    const auto filters = net::percentEncode(json::serialize(json::object{{"label", json::array{"swarm.helper=egress"}}}));
    std::size_t count = 0;
    for (const json::value& one : fixture_->engine().get("/containers/json?all=true&filters=" + filters).as_array())
      count += engine::labelOf(one, docker::kLabelSwarm) == fixture_->swarmId() ? 1 : 0;
    return count;
  }

  std::string image_;
  InstanceSpec one_;
};

TEST_F(DockerEgress, openReachesTheMachineAndPrivateNetworks) {
  HostProgram host;
  InstanceSpec other = spec("other", "eve");
  create(other);
  EXPECT_TRUE(reaches(gateway(), host.port()));
  EXPECT_TRUE(reaches(share("10.213.7.0/24", other)));
  EXPECT_EQ(limit(EgressPolicy::open), EgressRules::New);
  EXPECT_TRUE(reaches(gateway(), host.port()));
}

TEST_F(DockerEgress, defaultRefusesTheMachinePrivateNetworksAndMetadataServices) {
  HostProgram host;
  InstanceSpec friendly = spec("friend"), other = spec("other", "eve");
  create(friendly);
  create(other);
  const std::string in_private = share("10.213.7.0/24", other), in_public = share("203.0.113.0/24", other),
                    link_local = share("169.254.77.0/24", other);
  const std::vector<std::string> crossed{in_private, in_public, link_local};
  for (const std::string& address : crossed) EXPECT_TRUE(reaches(address)) << address << " without rules";
  EXPECT_EQ(limit(EgressPolicy::standard), EgressRules::New);
  EXPECT_FALSE(reaches(gateway(), host.port())) << "the machine";
  EXPECT_FALSE(reaches("203.0.113.1", host.port())) << "at a public address";
  EXPECT_FALSE(reaches(in_private));
  EXPECT_FALSE(reaches(link_local));
  EXPECT_FALSE(reaches("169.254.169.254", 80));
  EXPECT_TRUE(reaches(in_public)) << "the internet";
  EXPECT_TRUE(reaches(addressOf(friendly))) << "the owner's own network";
  EXPECT_TRUE(reaches("127.0.0.1"));
  EXPECT_GE(denied(), 4);
  // The way in, on which the server reaches the agent, is not affected.
  const AgentEndpoint agent = runner_.run(provider_->agentEndpoint(one_.placeId, soon()));
  EXPECT_NO_THROW(runner_.run(agent.connect(soon())));
  // What is allowed, by its port.
  EXPECT_EQ(limit(EgressPolicy::standard, {in_private + ":7777"}), EgressRules::Changed);
  EXPECT_TRUE(reaches(in_private));
  EXPECT_FALSE(reaches(link_local));
  EXPECT_EQ(limit(EgressPolicy::standard, {in_private + ":7778"}), EgressRules::Changed);
  EXPECT_FALSE(reaches(in_private));
}

TEST_F(DockerEgress, holdsForIpv6AsForIpv4) {
  HostProgram host;
  InstanceSpec other = spec("other", "eve");
  create(other);
  const std::string in_private = share("fd5a:7c00:1::/64", other), in_public = share("2001:db8:7c00::/64", other),
                    as_ipv4 = "::ffff:" + share("10.213.8.0/24", other);
  const std::string machine = "fd5a:7c00:1::1", machine_in_public = "2001:db8:7c00::1";
  const auto reaches_machine = [&](const std::string& address) { return reaches(address, host.port()); };
  for (const std::string& address : {in_private, in_public, as_ipv4}) EXPECT_TRUE(reaches(address)) << address << " without rules";
  for (const std::string& address : {machine, machine_in_public}) EXPECT_TRUE(reaches_machine(address)) << address << " without rules";
  EXPECT_EQ(limit(EgressPolicy::standard), EgressRules::New);
  EXPECT_FALSE(reaches(in_private));
  EXPECT_FALSE(reaches(as_ipv4)) << "IPv4, written as IPv6";
  EXPECT_FALSE(reaches_machine(machine));
  EXPECT_FALSE(reaches_machine(machine_in_public)) << "the machine at a public address";
  EXPECT_TRUE(reaches(in_public)) << "the internet";
  EXPECT_TRUE(reaches("::1"));
  EXPECT_GE(denied(), 4);
  EXPECT_EQ(limit(EgressPolicy::standard, {format("[{}]:7777", in_private)}), EgressRules::Changed);
  EXPECT_TRUE(reaches(in_private));
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::Changed);
  for (const std::string& address : {in_private, in_public, as_ipv4}) EXPECT_FALSE(reaches(address)) << address;
  EXPECT_EQ(limit(EgressPolicy::none, {"2001:db8:7c00::/64"}), EgressRules::Changed);
  EXPECT_TRUE(reaches(in_public));
  EXPECT_FALSE(reaches(in_private));
}

TEST_F(DockerEgress, noneRefusesEverythingThatIsNotAllowed) {
  InstanceSpec friendly = spec("friend"), other = spec("other", "eve");
  create(friendly);
  create(other);
  const std::string in_public = share("203.0.113.0/24", other);
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::New);
  EXPECT_FALSE(reaches(in_public));
  EXPECT_FALSE(reaches(addressOf(friendly)));
  EXPECT_TRUE(reaches("127.0.0.1"));
  EXPECT_EQ(limit(EgressPolicy::none, {"203.0.113.0/24"}), EgressRules::Changed);
  EXPECT_TRUE(reaches(in_public));
  EXPECT_FALSE(reaches(addressOf(friendly)));
}

TEST_F(DockerEgress, rulesStandUntilTheRunEndsAndARepeatedCallFindsThem) {
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::New);
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::Stood);
  openProvider();  // another server: it finds them in the namespace
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::Stood);
  runner_.run(provider_->stopInstance(one_.placeId, std::chrono::seconds(5), progress_, soon()));
  EXPECT_EQ(errorOf([&] { limit(EgressPolicy::none); })->code(), ErrorCode::Conflict);
  runner_.run(provider_->startInstance(one_.placeId, progress_, soon()));
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::New) << "they are gone with the run";
  EXPECT_EQ(helpers(), 0u);
}

TEST_F(DockerEgress, anInstanceWhoseAgentDoesNotStartHeldGetsItsFirstPolicyWithAnotherContainer) {
  NetworkConfig network;
  network.egress = EgressConfig{EgressPolicy::none, {}};
  EXPECT_EQ(runner_.run(provider_->configureNetwork(one_.placeId, network, soon())), AllocationEffect::NeedsRestart);
  network.egress->policy = EgressPolicy::open;
  EXPECT_EQ(runner_.run(provider_->configureNetwork(one_.placeId, network, soon())), AllocationEffect::Live);
}

TEST_F(DockerEgress, anImageWithoutAnAgentThatCanBeHeldIsRefusedBeforeAnythingIsMade) {
  InstanceSpec wanted = spec("two");
  wanted.config.network.egress = EgressConfig{EgressPolicy::standard, {}};
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(containerOf(wanted), "");
}

TEST_F(DockerEgress, aHelperThatAKilledServerLeftIsReplacedAndRemoved) {
  json::object labels{{docker::kLabelSwarm, fixture_->swarmId()}, {docker::kLabelHelper, "egress"}, {docker::kLabelInstance, ""}};
  const json::object body{{"Image", fixture_->image()}, {"Labels", std::move(labels)}};
  ASSERT_TRUE(fixture_->engine().send("POST", "/containers/create?name=swarm-egress-" + containerOf(one_).substr(0, 12), body).ok());
  ASSERT_TRUE(fixture_->engine().send("POST", "/containers/create?name=swarm-egress-" + fixture_->swarmId() + "-lost", body).ok());
  EXPECT_EQ(limit(EgressPolicy::none), EgressRules::New);
  EXPECT_EQ(helpers(), 1u);
  EXPECT_EQ(runner_.run(provider_->listInstances({}, soon())).instances.size(), 1u) << "a helper is not an instance";
  EXPECT_EQ(helpers(), 0u);
}

TEST_F(DockerEgress, validationSetsRulesInANetworkOfItsOwn) {
  auto checkOf = [&] {
    std::vector<ValidationCheck> checks = runner_.run(provider_->validate(soon()));
    return checks.back();
  };
  EXPECT_EQ(checkOf().name, "egress policies");
  EXPECT_TRUE(checkOf().ok) << checkOf().detail;
  closeProvider();
  DockerProviderConfig config = configured();
  config.workspaceImage = fixture_->image();  // without nft
  provider_ = makeDockerProvider(config, fixture_->swarmId());
  runner_.run(provider_->open([](const ProviderEvent&) {}));
  EXPECT_TRUE(checkOf().detail.starts_with("only the policy open is possible here.")) << checkOf().detail;
  EXPECT_TRUE(checkOf().ok) << "the server requires no other";
  EXPECT_FALSE(provider_->getProviderCapabilities().limitsEgress);
  closeProvider();
  config.egress = EgressPolicy::standard;
  provider_ = makeDockerProvider(config, fixture_->swarmId());
  runner_.run(provider_->open([](const ProviderEvent&) {}));
  EXPECT_FALSE(checkOf().ok);
  EXPECT_EQ(errorOf([&] { limit(EgressPolicy::none); })->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(helpers(), 0u);
}

}  // namespace
}  // namespace swarm::testing
