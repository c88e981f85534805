// Codes with which programs sign in: one use, one secret, a limited time, few guesses.
#include "auth/programs/program_sign_ins.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/id.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

using Decision = ProgramSignIns::Decision;
using State = ProgramSignIns::State;

class ProgramSignInsTest : public testing::Test {
 protected:
  ErrorCode codeOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  }

  ManualClock clock_;
  ProgramSignIns programs_{clock_};
  Principal ada_{.user = "ada", .role = Role::user, .sessionId = "s"};
  LoginOrigin origin_{.address = "10.0.0.1", .client = "swarm"};
};

TEST_F(ProgramSignInsTest, aCodeWorksOnceWithTheSecretOfItsProgram) {
  const std::string challenge = toBase64Url(sha256("verifier"));
  const std::string code = programs_.issueCode(ada_, challenge);
  EXPECT_EQ(programs_.takeCode(code, "verifier")->user, "ada");
  EXPECT_FALSE(programs_.takeCode(code, "verifier"));
  const std::string other = programs_.issueCode(ada_, challenge);
  EXPECT_FALSE(programs_.takeCode(other, "another"));
  EXPECT_FALSE(programs_.takeCode(other, "verifier")) << "a wrong secret uses it up";
  const std::string late = programs_.issueCode(ada_, challenge);
  clock_.advance(std::chrono::seconds(60));
  EXPECT_FALSE(programs_.takeCode(late, "verifier"));
}

TEST_F(ProgramSignInsTest, aDeviceIsApprovedOnceByItsCode) {
  const auto begun = programs_.begin(origin_);
  EXPECT_EQ(begun.userCode.size(), 9u);
  EXPECT_EQ(programs_.poll(begun.deviceCode.reveal()).state, State::Waiting);
  std::string typed = begun.userCode;
  std::ranges::transform(typed, typed.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_EQ(programs_.find(typed, ada_)->address, "10.0.0.1");
  EXPECT_TRUE(programs_.decide(begun.userCode, ada_, Decision::Approve));
  EXPECT_FALSE(programs_.decide(begun.userCode, ada_, Decision::Approve)) << "decided";
  const auto polled = programs_.poll(begun.deviceCode.reveal());
  EXPECT_EQ(polled.state, State::Approved);
  EXPECT_EQ(polled.by->user, "ada");
  EXPECT_EQ(codeOf([&] { programs_.poll(begun.deviceCode.reveal()); }), ErrorCode::Unprocessable) << "returned once";
}

TEST_F(ProgramSignInsTest, aRefusedOrExpiredDeviceGetsNothing) {
  const auto refused = programs_.begin(origin_);
  EXPECT_TRUE(programs_.decide(refused.userCode, ada_, Decision::Deny));
  const auto polled = programs_.poll(refused.deviceCode.reveal());
  EXPECT_EQ(polled.state, State::Denied);
  EXPECT_FALSE(polled.by);
  const auto late = programs_.begin(origin_);
  clock_.advance(kUserCodeLife);
  EXPECT_FALSE(programs_.find(late.userCode, ada_));
  EXPECT_FALSE(programs_.decide(late.userCode, ada_, Decision::Approve));
  EXPECT_EQ(codeOf([&] { programs_.poll(late.deviceCode.reveal()); }), ErrorCode::Unprocessable);
  EXPECT_EQ(codeOf([&] { programs_.poll("guessed"); }), ErrorCode::Unprocessable);
}

TEST_F(ProgramSignInsTest, isNotPolledMoreOftenThanTheInterval) {
  const auto begun = programs_.begin(origin_);
  programs_.poll(begun.deviceCode.reveal());
  EXPECT_EQ(codeOf([&] { programs_.poll(begun.deviceCode.reveal()); }), ErrorCode::TooManyRequests);
  clock_.advance(kPollInterval);
  EXPECT_EQ(programs_.poll(begun.deviceCode.reveal()).state, State::Waiting);
}

TEST_F(ProgramSignInsTest, codesCannotBeGuessed) {
  const auto begun = programs_.begin(origin_);
  ErrorCode last{};
  int guesses = 0;
  for (; guesses < 100 && last != ErrorCode::TooManyRequests; ++guesses) last = codeOf([&] { programs_.find("BBBB-BBBB", ada_); });
  EXPECT_LT(guesses, 20);
  EXPECT_EQ(codeOf([&] { programs_.find(begun.userCode, ada_); }), ErrorCode::TooManyRequests) << "the right one, too";
  const Principal ben{.user = "ben", .role = Role::user, .sessionId = "t"};
  EXPECT_TRUE(programs_.find(begun.userCode, ben)) << "other users are not affected";
  clock_.advance(std::chrono::minutes(2));
  EXPECT_TRUE(programs_.find(begun.userCode, ada_));
}

TEST_F(ProgramSignInsTest, oneAddressTakesTheRoomOfNoOther) {
  const auto neighbour = programs_.begin({.address = "2001:db8::1"});
  const auto elsewhere = programs_.begin({.address = "10.0.0.2"});
  const auto approved = programs_.begin(origin_);
  ASSERT_TRUE(programs_.decide(approved.userCode, ada_, Decision::Approve));
  const auto first = programs_.begin(origin_);
  for (int i = 0; i < 3000; ++i) {
    clock_.advance(std::chrono::milliseconds(1));  // the oldest is the one that expires first
    programs_.begin(origin_);
    programs_.begin({.address = "2001:db8::2"});  // of the neighbour's network
  }
  EXPECT_TRUE(programs_.find(neighbour.userCode, ada_));
  EXPECT_TRUE(programs_.find(elsewhere.userCode, ada_));
  EXPECT_FALSE(programs_.find(first.userCode, ada_)) << "the oldest of those that the address began";
  EXPECT_EQ(programs_.poll(approved.deviceCode.reveal()).state, State::Approved);
}

}  // namespace
}  // namespace swarm
