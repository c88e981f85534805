// Which limits apply: the configuration, quotas, and who a user is.
#include "controller/limits/policy.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "controller/limits/limits_section.h"
#include "support/temp_dir.h"

namespace swarm::control {
namespace {

class Policy : public ::testing::Test {
 protected:
  /// The limit of a user's memory, and what decides it; "0" when there is none.
  std::string memoryOf(const std::string& user) {
    for (const Bound& bound : policy().boundsOfUser(user))
      if (bound.resource == Resource::memory) return std::to_string(bound.limit) + " " + bound.source;
    return "0";
  }
  LimitPolicy policy() {
    return {config_, quotas_, directory_, [this](ProviderType) { return machine_; }};
  }
  std::vector<std::string> titlesFor(std::vector<std::string> owners) {
    std::vector<std::string> titles;
    for (const Bound& bound : policy().boundsOf({.provider = ProviderType::docker, .regions = {"box2"}, .owners = std::move(owners)}))
      titles.push_back(bound.title);
    return titles;
  }

  LimitsConfig config_;
  Quotas quotas_;
  Machine machine_;
  Directory directory_{.standingOf =
                           [](const std::string& user) {
                             return Standing{Role::user,
                                             user == "eve" ? std::vector<std::string>() : std::vector<std::string>{"devs", "ops"}};
                           },
                       .membersOf = [](const std::string&) { return std::vector<std::string>{"ann", "bob"}; }};
};

TEST_F(Policy, takesTheFirstSourceThatNamesTheLimit) {
  EXPECT_EQ(memoryOf("ann"), "0");
  config_.user.memory = 1;
  EXPECT_EQ(memoryOf("ann"), "1 [limits.user] of the server's configuration");
  quotas_[{QuotaKind::role, "user"}].memory = 2;
  EXPECT_EQ(memoryOf("ann"), "2 swarm quota set role user");
  quotas_[{QuotaKind::member, "ops"}].memory = 3;
  quotas_[{QuotaKind::member, "devs"}].memory = 4;
  EXPECT_EQ(memoryOf("ann"), "4 swarm quota set member devs") << "the largest of their groups";
  EXPECT_EQ(memoryOf("eve"), "2 swarm quota set role user");
  quotas_[{QuotaKind::user, "ann"}].cpu = 1;
  EXPECT_EQ(memoryOf("ann"), "4 swarm quota set member devs") << "it says nothing about memory";
  quotas_[{QuotaKind::user, "ann"}].memory = 5;
  EXPECT_EQ(memoryOf("ann"), "5 swarm quota set user ann");
  EXPECT_EQ(memoryOf("bob"), "4 swarm quota set member devs");
}

TEST_F(Policy, takesZeroAsNoLimit) {
  config_.user.memory = 1;
  quotas_[{QuotaKind::member, "ops"}].memory = 3;
  quotas_[{QuotaKind::member, "devs"}].memory = 0;
  EXPECT_EQ(memoryOf("ann"), "0") << "no limit is the largest";
}

TEST_F(Policy, sumsUpTheMembersOfAGroup) {
  quotas_[{QuotaKind::group, "devs"}].cpu = 1.5;
  const std::vector<Bound> bounds = policy().boundsOfGroup("devs");
  ASSERT_EQ(bounds.size(), 1U);
  EXPECT_EQ(bounds[0].limit, 1500);
  EXPECT_EQ(bounds[0].accounts, (std::vector<Account>{{AccountKind::user, {}, "ann"}, {AccountKind::user, {}, "bob"}}));
}

TEST_F(Policy, appliesEveryLevelToAClaim) {
  config_.swarm.cpu = 1;
  config_.providers[ProviderType::docker].all.cpu = 1;
  config_.providers[ProviderType::docker].regions["box2"].cpu = 1;
  config_.providers[ProviderType::docker].regions["other"].cpu = 1;
  config_.user.cpu = 1;
  quotas_[{QuotaKind::group, "devs"}].cpu = 1;
  machine_ = {.milliCpu = 1000, .memory = 1000, .maxInstancesPerUser = 3};
  EXPECT_EQ(titlesFor({"ann"}),
            (std::vector<std::string>{"The quota of ann", "The limit of a user at Docker", "The default limit of ann at Docker",
                                      "The quota of the group devs", "The limit of Docker (box2)", "The limit of Docker",
                                      "The limit of this server"}));
}

TEST_F(Policy, doesNotCountWhatOneMemberOfAGroupHandsOverToAnother) {
  quotas_[{QuotaKind::group, "devs"}].cpu = 1;
  EXPECT_EQ(titlesFor({"ann", "bob"}), std::vector<std::string>());
  EXPECT_EQ(titlesFor({"eve", "bob"}), std::vector<std::string>{"The quota of the group devs"});
}

TEST_F(Policy, boundsAUserByTheMachineOnlyWhereNothingElseDecides) {
  machine_ = {.milliCpu = 1000, .memory = 1000};
  const auto defaults = [&] { return policy().boundsOfUserAt("ann", ProviderType::docker); };
  ASSERT_EQ(defaults().size(), 2U);
  EXPECT_EQ(defaults()[0].limit, 16'000) << "millicores";
  EXPECT_EQ(defaults()[1].limit, 2000) << "MiB";
  quotas_[{QuotaKind::role, "user"}] = {.cpu = 1, .memory = 0};
  EXPECT_TRUE(defaults().empty());
}

class LimitsSection : public ::testing::Test {
 protected:
  LimitsConfig read(const std::string& text) {
    return readLimits(*ConfigSection::parse(folder_.write("swarm.toml", text).string()).child("limits"));
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const Error& error) {
      return error.message();
    }
    return {};
  }
  test::TempDir folder_;
};

TEST_F(LimitsSection, isReadWithItsLevels) {
  const LimitsConfig limits = read(R"(
[limits]
cpu = 64
[limits.instance]
memory = 8192
[limits.user]
instances = 5
cpu = 1.5
[limits.docker]
storage = 0
[limits.docker.regions.box2]
memory = 4096
)");
  EXPECT_EQ(limits.swarm, (ResourceLimits{.cpu = 64}));
  EXPECT_EQ(limits.instance, (ResourceLimits{.memory = 8192}));
  EXPECT_EQ(limits.user, (ResourceLimits{.instances = 5, .cpu = 1.5}));
  EXPECT_EQ(limits.providers.at(ProviderType::docker).all, (ResourceLimits{.storage = 0}));
  EXPECT_EQ(limits.providers.at(ProviderType::docker).regions.at("box2"), (ResourceLimits{.memory = 4096}));
}

TEST_F(LimitsSection, isRefusedWithTheKeyThatIsWrong) {
  EXPECT_NE(refusal("[limits.user]\nmemory = -1").find("[limits.user] memory is -1; expected 0 (no limit) to 1000000000."),
            std::string::npos);
  EXPECT_NE(refusal("[limits]\ncpu = \"2\"").find("cpu"), std::string::npos);
  EXPECT_NE(refusal("[limits.docker]\nhosts = 2").find("hosts"), std::string::npos);
  EXPECT_NE(refusal("[limits.instance]\ninstances = 2").find("instances"), std::string::npos);
}

}  // namespace
}  // namespace swarm::control
