// Who reaches whom: workspaces of one owner and of two, the way out, and published ports. Each refusal stands beside a way that is open.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <net/if.h>

#include "integration/docker/docker_test.h"
#include "net/connect.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

constexpr std::int64_t kTestPort = 7777;  // of the test image's HTTP server

/// An IPv4 address of this machine that is neither loopback nor a bridge; empty: it has none.
std::string ownAddress() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string found;
  for (const ifaddrs* one = all; one && found.empty(); one = one->ifa_next) {
    const std::string name = one->ifa_name;
    const bool is_bridge = name.starts_with("br-") || name.starts_with("docker") || name.starts_with("swt") || name.starts_with("veth");
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0 || is_bridge) continue;
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof text);
    found = text;
  }
  ::freeifaddrs(all);
  return found;
}

class DockerNetworks : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }
  void isolateInstances() {
    DockerProviderConfig config = testEngineConfig();
    config.isolation = Isolation::instance;
    closeProvider();
    provider_ = makeDockerProvider(config, fixture_->swarmId());
    runner_.run(provider_->open([](const ProviderEvent&) {}));
  }
  InstanceSpec running(const std::string& name, const std::string& owner) {
    InstanceSpec made = spec(name, owner);
    create(made);
    fixture_->awaitProgram(made.placeId);
    return made;
  }
  /// With a server at a published port.
  InstanceSpec publishing(const std::string& name) {
    InstanceSpec made = spec(name);
    made.config.network.exposedPorts = {8080};
    made.config.command = {"/bin/sh", "-c", "httpd -p 8080 -h /tmp; exec /bin/main"};
    return made;
  }
  std::string addressOf(const InstanceSpec& which) { return runner_.run(provider_->getNetworkInfo(which.placeId, soon())).internalIp; }
  /// Whether a program in `from` gets a response there. (wget of Debian's static busybox ends with a segmentation fault.)
  bool reaches(const InstanceSpec& from, const std::string& host, std::int64_t port) {
    const CommandResult result = execute(from, {"/bin/busybox", "nc", "-w", "2", host, std::to_string(port)}, "GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(result.stderrText.empty() || result.stderrText.starts_with("nc: ")) << result.stderrText;
    return result.stdoutText.starts_with("HTTP/1.");
  }
  bool reaches(const InstanceSpec& from, const InstanceSpec& to) { return reaches(from, addressOf(to), kTestPort); }
  std::vector<std::string> networks() {
    json::object filter{{"label", json::array{json::string("swarm.id=" + fixture_->swarmId())}}};
    const json::value listed = fixture_->engine().get("/networks?" + engine::filterQuery(filter));
    std::vector<std::string> names;
    for (const json::value& one : listed.as_array()) names.push_back(engine::stringAt(one, "Name"));
    return names;
  }
};

TEST_F(DockerNetworks, workspacesOfOneOwnerReachEachOtherAndNoOneElses) {
  const InstanceSpec one = running("one", "ada"), two = running("two", "ada"), others = running("others", "eve");
  EXPECT_TRUE(reaches(one, two));
  EXPECT_FALSE(reaches(others, one));
  EXPECT_FALSE(reaches(one, others));
  EXPECT_EQ(networks().size(), 2u);
}

TEST_F(DockerNetworks, withIsolationOfInstancesNoWorkspaceReachesAnother) {
  isolateInstances();
  const InstanceSpec one = running("one", "ada"), two = running("two", "ada"), others = running("others", "eve");
  EXPECT_TRUE(reaches(one, one)) << "the program responds";
  EXPECT_FALSE(reaches(one, two));
  EXPECT_FALSE(reaches(two, one));
  EXPECT_FALSE(reaches(others, one));
  EXPECT_EQ(networks().size(), 3u);
  remove(one);
  EXPECT_EQ(networks().size(), 2u) << "each goes with its instance";
  remove(two);
  remove(others);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerNetworks, aWorkspaceKeepsItsNetworkUntilItIsReplaced) {
  InstanceSpec one = running("one", "ada");
  const InstanceSpec two = running("two", "ada");
  isolateInstances();
  runner_.run(provider_->stopInstance(one.placeId, std::chrono::seconds(5), progress_, soon()));
  runner_.run(provider_->startInstance(one.placeId, progress_, soon()));
  fixture_->awaitProgram(one.placeId);
  EXPECT_TRUE(reaches(one, two));
  one.config.env["CHANGED"] = "yes";
  replace(one);
  fixture_->awaitProgram(one.placeId);
  EXPECT_FALSE(reaches(one, two));
  EXPECT_FALSE(reaches(two, one));
  remove(one);
  remove(two);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerNetworks, anInternalNetworkHasNoWayToOtherAddresses) {
  const std::string machine = ownAddress();
  if (machine.empty()) GTEST_SKIP() << "the machine has no address that only a route leads to";
  DockerProviderConfig config = testEngineConfig();
  config.publishAddress = machine;
  closeProvider();
  fixture_.reset();
  useEngine(config);
  const InstanceSpec served = publishing("served");
  const ProviderInstance target = create(served);
  fixture_->awaitProgram(served.placeId);
  const std::int64_t port = target.network.ports.at(0).external;
  const InstanceSpec open = running("open", "eve");
  InstanceSpec inner = spec("inner");
  inner.config.network.internalNetwork = true;
  create(inner);
  EXPECT_TRUE(reaches(open, machine, port));
  EXPECT_FALSE(reaches(inner, machine, port));
  EXPECT_FALSE(reaches(inner, served));
}

TEST_F(DockerNetworks, publishedPortsAreAtTheConfiguredAddressOnly) {
  const InstanceSpec wanted = publishing("one");
  const ProviderInstance made = create(wanted);
  fixture_->awaitProgram(wanted.placeId);
  const auto port = static_cast<std::uint16_t>(made.network.ports.at(0).external);
  const auto accepts = [&](const std::string& address) {
    return !errorOf([&] { runner_.run(net::connectTcp({address, port}, Deadline::after(std::chrono::seconds(2)))); });
  };
  EXPECT_TRUE(accepts("127.0.0.1"));
  EXPECT_FALSE(accepts("127.0.0.2"));
  if (const std::string machine = ownAddress(); !machine.empty()) EXPECT_FALSE(accepts(machine));
  const auto container =
      fixture_->engine().get("/containers/" + fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId) + "/json");
  for (const auto& [name, bindings] : container.at("NetworkSettings").at("Ports").as_object())
    for (const json::value& binding : bindings.as_array()) EXPECT_EQ(engine::stringAt(binding, "HostIp"), "127.0.0.1") << name;
}

}  // namespace
}  // namespace swarm::testing
