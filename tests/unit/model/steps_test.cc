// Steps: every one has a text of its own; those of a move have words for people, too.
#include "model/steps.h"

#include <gtest/gtest.h>

#include <set>

namespace swarm {
namespace {

constexpr int kLastStep = static_cast<int>(Step::DeleteApp);

TEST(Steps, haveEachANameOfTheirOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= kLastStep; ++i) {
    std::string_view name = stepName(static_cast<Step>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Steps, ofAMoveAreSaidInWords) {
  EXPECT_EQ(wordsOfStep("copy"), "copying the files");
  EXPECT_EQ(wordsOfStep(stepName(Step::RetireSource)), "tidying up the old place");
}

TEST(Steps, withoutWordsAndOfOtherVersionsStayAsTheyAre) {
  EXPECT_EQ(wordsOfStep("pull image"), "pull image");
  EXPECT_EQ(wordsOfStep("fold the laundry"), "fold the laundry");
  EXPECT_EQ(wordsOfStep(stepName(Step::DeleteApp)), "delete app");
}

}  // namespace
}  // namespace swarm
