// The fixture of two Engines, and the suite on it: half of the tests have their instances on each Engine.
#include "conformance/provider/docker/docker_hosts_fixture.h"

#include "base/id.h"

namespace swarm::testing {
namespace {

constexpr int kDiskMib = 192;
std::unique_ptr<OwnEngine> g_other;

class EndTheOtherEngine final : public ::testing::Environment {
 public:
  void TearDown() override { g_other.reset(); }
};
const ::testing::Environment* const kEnding = ::testing::AddGlobalTestEnvironment(new EndTheOtherEngine);

NamedFixture onTwoEngines() {
  return {"docker_hosts", [](CoroutineRunner& runner) -> std::unique_ptr<ProviderFixture> {
            std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
            return std::make_unique<DockerHostsFixture>(runner, test.size() % 2 == 0 ? "local" : "box2");
          }};
}

std::vector<NamedFixture> fixtures() {
  if (!DockerHostsFixture::possible()) return {};  // needs root and dockerd, to start the second Engine
  return {onTwoEngines()};
}

}  // namespace

OwnEngine& DockerHostsFixture::otherEngine() {
  if (!g_other) {
    g_other = std::make_unique<OwnEngine>(OwnEngine::Options{.tmpfsMib = kDiskMib, .arguments = {}});
    if (!g_other->waitForSocket()) throw std::runtime_error("the second Engine does not start: " + g_other->log());
  }
  return *g_other;
}

DockerHostsFixture::DockerHostsFixture(CoroutineRunner& runner, std::string place) : swarm_id_(newId("test")), place_(std::move(place)) {
  engines_.try_emplace("local", runner, testEngineConfig());
  engines_.try_emplace("box2", runner, otherEngine().config());
  for (auto& [name, engine] : engines_) image_ = engine.ensureImage();
}

DockerHostsFixture::~DockerHostsFixture() {
  try {
    for (auto& [name, engine] : engines_) {
      engine.removeAll(swarm_id_);
      engine.untag(swarm_id_);
    }
    EXPECT_EQ(leftovers(), std::vector<std::string>{}) << "the test left something at an Engine";
  } catch (const std::exception& error) {
    ADD_FAILURE() << "cleaning up failed: " << error.what();
  }
}

ProviderPtr DockerHostsFixture::makeProvider() {
  DockerProviderConfig other = otherEngine().config();
  other.name = "box2";
  return makeDockerProvider(std::vector{testEngineConfig(), other}, swarm_id_);
}

std::string DockerHostsFixture::taggedImage() {
  std::string name;
  for (auto& [host, engine] : engines_) name = engine.tag(swarm_id_, image_);
  return name;
}

void DockerHostsFixture::moveTag(const std::string&) {
  TestEngine& engine = engines_.at(place_);  // the other Engine has its own, which says nothing of this one's
  engine.tag(swarm_id_, engine.ensureImageOfSecrets());
}

/// The main Engine is where an instance goes that names none.
void DockerHostsFixture::choosePlace(InstanceConfig& config) const {
  if (place_ != "local") config.network.regions = {place_};
}

TestEngine& DockerHostsFixture::engineOf(const PlaceId& place_id) {
  for (auto& [name, engine] : engines_) {
    if (!engine.containerOf(swarm_id_, place_id).empty()) return engine;
  }
  throw std::logic_error("no Engine has a container of " + place_id.str());
}

void DockerHostsFixture::removeBehindBack(const PlaceId& place_id) {
  TestEngine& engine = engineOf(place_id);
  engine.send("DELETE", "/containers/" + engine.containerOf(swarm_id_, place_id) + "?force=true");
}

void DockerHostsFixture::killBehindBack(const PlaceId& place_id) { engineOf(place_id).endWithFailure(swarm_id_, place_id); }

std::vector<std::string> DockerHostsFixture::leftovers() {
  std::vector<std::string> all;
  for (auto& [name, engine] : engines_) {
    std::vector<std::string> own = engine.leftovers(swarm_id_);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProviderSuite);
INSTANTIATE_TEST_SUITE_P(DockerHosts, ProviderSuite, ::testing::ValuesIn(fixtures()));

}  // namespace swarm::testing
