// What shares grant, in memory and over a restart.
#include <gtest/gtest.h>

#include "auth/sharing/grant_table.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

const InstanceId kOne("i-1"), kTwo("i-2");

class GrantTableTest : public testing::Test {
 protected:
  ShareRecord share(const InstanceId& instance, const std::string& user, ShareAccess access = ShareAccess::viewer,
                    std::optional<std::chrono::seconds> life = {}) {
    return {instance, Grantee::ofUser(user), access, "ada", clock_.now(), life ? std::optional(clock_.now() + *life) : std::nullopt};
  }
  bool grants(const std::string& user, const InstanceId& instance) {
    const auto grants = table_.grantsOf(user);
    return grants && grants->contains(instance);
  }
  ManualClock clock_;
  GrantTable table_{clock_};
};

TEST_F(GrantTableTest, grantsToTheUsersOfEachInstance) {
  table_.load({{{share(kOne, "bob"), share(kOne, "carl", ShareAccess::editor), share(kTwo, "bob")}, 1}, {}});
  EXPECT_EQ(table_.grantsOf("bob")->size(), 2U);
  EXPECT_EQ(table_.grantsOf("carl")->at(kOne).access, ShareAccess::editor);
  EXPECT_FALSE(table_.grantsOf("dora"));
  table_.apply(kOne, {{share(kOne, "bob")}, 2});
  EXPECT_FALSE(grants("carl", kOne));
  EXPECT_TRUE(grants("bob", kTwo));
}

TEST_F(GrantTableTest, ignoresAChangeThatANewerOneHasOvertaken) {
  table_.load({{{}, 1}, {}});
  table_.apply(kOne, {{}, 3});  // the end of the share, whose begin is applied later
  table_.apply(kOne, {{share(kOne, "bob")}, 2});
  EXPECT_FALSE(grants("bob", kOne));
  table_.load({{{share(kOne, "bob"), share(kTwo, "bob")}, 2}, {}});
  EXPECT_FALSE(grants("bob", kOne)) << "read before the end";
  EXPECT_TRUE(grants("bob", kTwo));
  table_.load({{{share(kOne, "bob")}, 4}, {}});
  EXPECT_TRUE(grants("bob", kOne));
  EXPECT_FALSE(grants("bob", kTwo));
  table_.apply(kTwo, {{share(kTwo, "bob")}, 3});
  EXPECT_FALSE(grants("bob", kTwo));
}

TEST_F(GrantTableTest, endsGrantsAtTheirTimeEvenBeforeTheyAreTaken) {
  table_.load({{{share(kOne, "bob", ShareAccess::editor, std::chrono::seconds(10)), share(kTwo, "bob")}, 1}, {}});
  EXPECT_TRUE(table_.takeExpired().empty());
  clock_.advance(std::chrono::seconds(10));
  EXPECT_FALSE(grants("bob", kOne));
  EXPECT_TRUE(grants("bob", kTwo));
  EXPECT_TRUE(table_.sharesOf(kOne).empty());
  const auto expired = table_.takeExpired();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].instanceId, kOne);
  EXPECT_TRUE(table_.takeExpired().empty());
  EXPECT_TRUE(grants("bob", kTwo));
}

TEST_F(GrantTableTest, grantsToTheMembersOfAGroupTheMostThatOneOfTheirSharesGives) {
  ShareRecord with_group = share(kOne, "", ShareAccess::editor, std::chrono::seconds(10));
  with_group.grantee = Grantee::ofGroup("bob");  // the name of a user, too
  table_.load({{{share(kOne, "carl"), with_group, share(kTwo, "dora")}, 1}, {{"bob", "", {}, {"carl", "dora"}}, {"empty", "", {}, {}}}});
  EXPECT_FALSE(table_.grantsOf("bob")) << "not a member of the group of their name";
  EXPECT_EQ(table_.grantsOf("carl")->at(kOne).access, ShareAccess::editor);
  EXPECT_EQ(table_.grantsOf("dora")->size(), 2U);
  EXPECT_TRUE(table_.isMember("bob", "carl"));
  EXPECT_FALSE(table_.isMember("bob", "bob"));
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(table_.grantsOf("carl")->at(kOne).access, ShareAccess::viewer) << "their own, which the other hid";
  EXPECT_FALSE(grants("dora", kOne));
  EXPECT_EQ(table_.takeExpired().size(), 1U);
  EXPECT_EQ(table_.grantsOf("carl")->at(kOne).access, ShareAccess::viewer);
  table_.load({{{share(kOne, "carl")}, 2}, {{"bob", "", {}, {"dora"}}}});
  EXPECT_FALSE(table_.grantsOf("dora"));
}

TEST_F(GrantTableTest, readsAgainAfterAChangeWhatItHasMerged) {
  ShareRecord with_group = share(kOne, "");
  with_group.grantee = Grantee::ofGroup("devs");
  table_.load({{{}, 1}, {{"devs", "", {}, {"carl"}}}});
  EXPECT_FALSE(table_.grantsOf("carl"));
  table_.apply(kOne, {{with_group}, 2});
  EXPECT_TRUE(grants("carl", kOne));
  EXPECT_EQ(table_.grantsOf("carl"), table_.grantsOf("carl")) << "merged once";
  table_.load({{{with_group}, 3}, {{"devs", "", {}, {}}}});
  EXPECT_FALSE(grants("carl", kOne));
}

}  // namespace
}  // namespace swarm
