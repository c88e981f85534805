// Which network a container joins when the Engine has several of one name, or one that is not the owner's.
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "unit/provider/docker/fake_engine.h"

namespace swarm::docker {
namespace {

using testing::ElementsAre;

struct Silent final : Progress {
  awaitable<void> recorded(ExternalResource) override { co_return; }
  void step(Step) override {}
  void detail(std::string, std::int64_t, std::int64_t) override {}
};

class NetworkJoin : public testing::Test {
 protected:
  InstanceSpec spec(const std::string& name = "one") {
    InstanceSpec made{PlaceId(name + "00000000"), name, "ada", {}, "{}", Secret("{}")};
    made.config.image = "image";
    made.config.resources.cpu = {0.5, 500};
    made.config.resources.memory = {0, 64};
    made.config.resources.pids = 64;
    return made;
  }
  std::string networkName() { return planNetwork(spec(), engine_.config(), kSwarm).name; }
  std::string labelsOf(std::string_view swarm, std::string_view owner) {
    return format(R"({{"swarm.id":"{}","swarm.owner":"{}"}})", swarm, owner);
  }
  /// What refused it; empty: it was made and started.
  std::string create(const InstanceSpec& wanted) {
    try {
      loop_.run(provider_->createInstance(wanted, progress_, Deadline::after(std::chrono::seconds(20))));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unprocessable) << error.message();
      return error.message();
    }
    return {};
  }
  void openProvider(std::string configured_network = {}) {
    DockerProviderConfig config = engine_.config();
    config.networkName = std::move(configured_network);
    provider_ = std::make_unique<DockerProvider>(std::move(config), kSwarm);
  }

  static constexpr const char* kSwarm = "s1";
  test::TestLoop loop_;
  FakeEngine engine_{loop_};
  std::unique_ptr<DockerProvider> provider_ = std::make_unique<DockerProvider>(engine_.config(), kSwarm);
  Silent progress_;
};

TEST_F(NetworkJoin, isTheOneThatWasMadeByItsId) {
  EXPECT_EQ(create(spec()), "");
  EXPECT_THAT(engine_.networkIds(), ElementsAre("made0"));
  EXPECT_EQ(engine_.joinedNetwork(), "made0");
}

TEST_F(NetworkJoin, isTheOwnersOfTwoOfOneNameAndTheForeignOneStays) {
  engine_.addNetwork("foreign", networkName(), "{}");
  engine_.addNetwork("ours", networkName(), labelsOf(kSwarm, "ada"));
  EXPECT_EQ(create(spec()), "");
  EXPECT_EQ(engine_.joinedNetwork(), "ours");
  EXPECT_THAT(engine_.networkIds(), ElementsAre("foreign", "ours"));
}

TEST_F(NetworkJoin, isTheKnownOneWhenAForeignOneComesLater) {
  EXPECT_EQ(create(spec("one")), "");
  engine_.addNetwork("foreign", networkName(), labelsOf("another swarm", "ada"));
  EXPECT_EQ(create(spec("two")), "");
  EXPECT_EQ(engine_.joinedNetwork(), "made0");
  EXPECT_THAT(engine_.networkIds(), ElementsAre("made0", "foreign"));
}

TEST_F(NetworkJoin, isRefusedWhenOnlyForeignOnesHaveTheName) {
  engine_.addNetwork("foreign", networkName(), labelsOf(kSwarm, "eve"));
  EXPECT_THAT(create(spec()), testing::HasSubstr("does not belong to ada"));
  engine_.addNetwork("foreign2", networkName(), labelsOf("another swarm", "ada"));
  EXPECT_THAT(create(spec()), testing::HasSubstr("does not belong to ada"));
  EXPECT_EQ(engine_.containers(), 0);
  EXPECT_THAT(engine_.networkIds(), ElementsAre("foreign", "foreign2"));
}

TEST_F(NetworkJoin, isRefusedWhenTheKnownOneWasReplacedByAForeignOne) {
  EXPECT_EQ(create(spec("one")), "");
  engine_.addNetwork("foreign", networkName(), "{}");
  engine_.removeNetwork("made0");
  EXPECT_THAT(create(spec("two")), testing::HasSubstr("does not belong to ada"));
  EXPECT_NE(engine_.joinedNetwork(), "foreign");
}

TEST_F(NetworkJoin, isMadeAgainWhenTheKnownOneIsGone) {
  EXPECT_EQ(create(spec("one")), "");
  engine_.removeNetwork("made0");
  engine_.addNetwork("other", "another name", "{}");
  EXPECT_EQ(create(spec("two")), "");
  EXPECT_EQ(engine_.joinedNetwork(), "made1");
}

TEST_F(NetworkJoin, ofTwoOfTheOwnersTheYoungerIsRemoved) {
  engine_.addNetwork("old", networkName(), labelsOf(kSwarm, "ada"));
  engine_.addNetwork("young", networkName(), labelsOf(kSwarm, "ada"));
  EXPECT_EQ(create(spec()), "");
  EXPECT_EQ(engine_.joinedNetwork(), "old");
  EXPECT_THAT(engine_.networkIds(), ElementsAre("old"));
}

TEST_F(NetworkJoin, aConfiguredNetworkMayBeAnAdministratorsAndOnlyOne) {
  openProvider("team");
  engine_.addNetwork("admins", "team", "{}");
  EXPECT_EQ(create(spec("one")), "");
  EXPECT_EQ(engine_.joinedNetwork(), "admins");
  openProvider("team");
  engine_.addNetwork("another", "team", "{}");
  EXPECT_THAT(create(spec("two")), testing::HasSubstr("2 networks named team"));
  EXPECT_THAT(engine_.networkIds(), ElementsAre("admins", "another"));
}

}  // namespace
}  // namespace swarm::docker
