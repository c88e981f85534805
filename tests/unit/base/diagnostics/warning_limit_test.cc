#include "base/diagnostics/warning_limit.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/diagnostics/log.h"

namespace swarm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class WarningLimitTest : public ::testing::Test {
 protected:
  WarningLimitTest() {
    log::setTap([this](const std::string& line) { lines_.push_back(line); });
  }
  ~WarningLimitTest() override { log::setTap({}); }

  SteadyTime now_{std::chrono::hours(1)};
  WarningLimit limit_;
  std::vector<std::string> lines_;
};

TEST_F(WarningLimitTest, logsTheFirstAtOnceAndTheOthersOnceAMinuteWithTheirNumber) {
  for (int i = 0; i < 6; ++i) limit_.warn("too many", "192.0.2.1", now_);
  limit_.warn("too many", "192.0.2.2", now_);
  now_ += std::chrono::minutes(1);
  limit_.warn("too many", "192.0.2.1", now_);
  EXPECT_THAT(lines_, ElementsAre(AllOf(HasSubstr("192.0.2.1"), HasSubstr(R"("count":1)")), HasSubstr("192.0.2.2"),
                                  AllOf(HasSubstr("192.0.2.1"), HasSubstr(R"("count":6)"))));
}

TEST_F(WarningLimitTest, manyAddressesCauseFewLines) {
  for (int i = 0; i < 1000; ++i) limit_.warn("too many", std::to_string(i), now_);
  EXPECT_THAT(lines_, SizeIs(100));
  now_ += std::chrono::minutes(1);
  limit_.warn("too many", "another", now_);
  EXPECT_THAT(lines_, SizeIs(101));
}

}  // namespace
}  // namespace swarm
