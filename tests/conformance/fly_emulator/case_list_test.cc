// Every S and O case has a test here, and no test claims a case whose response is only inferred.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace swarm::testing {
namespace {

struct Case {
  std::string who;
  std::string tag;
};

std::map<std::string, Case> listedCases() {
  std::ifstream file(SWARM_FLY_CASES_FILE);
  std::map<std::string, Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string number, who;
    words >> number >> who >> std::ws;
    std::string tag;
    std::getline(words, tag);
    cases[number] = {who, tag};
  }
  return cases;
}

/// "042" of "case042_aStopWithoutABody…/memory".
std::set<std::string> testedCases() {
  std::set<std::string> numbers;
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string name = suite.GetTestInfo(j)->name();
      if (name.starts_with("case")) numbers.insert(name.substr(4, 3));
    }
  }
  return numbers;
}

bool isInferred(const Case& one) { return one.tag.starts_with("I"); }

TEST(CaseList, holdsEachCaseOnce) {
  const auto cases = listedCases();
  EXPECT_EQ(cases.size(), 108u);
  for (const auto& [number, one] : cases) {
    EXPECT_TRUE(one.who == "emulator" || one.who == "provider") << number;
    EXPECT_TRUE(one.tag.starts_with("S") || one.tag.starts_with("O") || one.tag.starts_with("I")) << number << " " << one.tag;
  }
}

TEST(CaseList, hasATestForEveryDocumentedOrObservedCase) {
  const std::set<std::string> tested = testedCases();
  for (const auto& [number, one] : listedCases()) {
    if (one.who == "emulator" && !isInferred(one))
      EXPECT_TRUE(tested.contains(number)) << "case " << number << " [" << one.tag << "] has no test";
  }
}

TEST(CaseList, hasNoTestThatClaimsAnInferredAnswer) {
  const auto cases = listedCases();
  for (const std::string& number : testedCases()) {
    ASSERT_TRUE(cases.contains(number)) << "cases.txt has no case " << number;
    EXPECT_FALSE(isInferred(cases.at(number))) << "case " << number << " is inferred: name the test without its number";
  }
}

}  // namespace
}  // namespace swarm::testing
