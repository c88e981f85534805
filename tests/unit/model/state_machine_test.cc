// The state machine: every pair, and what people are told.
#include "model/state_machine.h"

#include "gmock/gmock.h"
#include "model/codec.h"

namespace swarm {
namespace {

using enum InstanceStatus;
using testing::HasSubstr;

constexpr InstanceStatus kAll[] = {creating, starting, running, stopping, stopped, failed, deleting, deleted};
constexpr OperationKind kKinds[] = {OperationKind::create,  OperationKind::start,  OperationKind::stop,
                                    OperationKind::restart, OperationKind::update, OperationKind::remove};

TEST(StateMachine, followsItsTable) {
  // Rows: from; columns: to, in the order of kAll.
  const char* table[] = {
      // cr st ru sg sd fa dg dd
      "..x.xxx.",  // creating
      "..xxxxx.",  // starting
      ".x.xxxx.",  // running
      "..x.xxx.",  // stopping
      ".xx..xx.",  // stopped
      ".xxxx.x.",  // failed
      ".....x.x",  // deleting
      "........",  // deleted
  };
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t to = 0; to < 8; ++to)
      EXPECT_EQ(canFollow(kAll[from], kAll[to]), table[from][to] == 'x') << enumName(kAll[from]) << " -> " << enumName(kAll[to]);
  }
}

TEST(StateMachine, reachesDeletedFromEverywhereAndNothingFromThere) {
  for (InstanceStatus from : kAll) {
    EXPECT_FALSE(canFollow(deleted, from));
    if (from == deleted) continue;
    EXPECT_TRUE(from == deleting || canFollow(from, deleting)) << enumName(from);
  }
}

TEST(StateMachine, callsAWrongTransitionOurOwnFault) {
  EXPECT_NO_THROW(requireCanFollow(stopped, starting));
  try {
    requireCanFollow(deleted, running);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Internal);
    EXPECT_EQ(error.message(), "An instance that is deleted can't become running.");
  }
}

TEST(StateMachine, admitsRepeatedRequestsAsDone) {
  EXPECT_EQ(admit(OperationKind::start, running), Admission::AlreadyDone);
  EXPECT_EQ(admit(OperationKind::start, starting), Admission::AlreadyDone);
  EXPECT_EQ(admit(OperationKind::stop, stopped), Admission::AlreadyDone);
  EXPECT_EQ(admit(OperationKind::stop, stopping), Admission::AlreadyDone);
  EXPECT_EQ(admit(OperationKind::remove, deleted), Admission::AlreadyDone);
}

TEST(StateMachine, deletesInAnyState) {
  for (InstanceStatus status : kAll) EXPECT_NE(admit(OperationKind::remove, status), Admission::Refused) << enumName(status);
}

TEST(StateMachine, letsAFailedInstanceBackByEveryWay) {
  for (OperationKind kind :
       {OperationKind::start, OperationKind::stop, OperationKind::restart, OperationKind::update, OperationKind::remove})
    EXPECT_EQ(admit(kind, failed), Admission::Allowed) << enumName(kind);
}

TEST(StateMachine, admitsOnlyWhatTheTransitionsAllow) {
  for (OperationKind kind : kKinds) {
    for (InstanceStatus status : kAll) {
      if (admit(kind, status) != Admission::Allowed) continue;
      auto during = statusDuring(kind);
      if (during) EXPECT_TRUE(*during == status || canFollow(status, *during)) << enumName(kind) << " in " << enumName(status);
      if (during && statusAfter(kind)) EXPECT_TRUE(canFollow(*during, *statusAfter(kind))) << enumName(kind);
    }
  }
}

TEST(StateMachine, explainsEveryRefusal) {
  for (OperationKind kind : kKinds) {
    for (InstanceStatus status : kAll) {
      auto error = refusal(kind, status, "web");
      ASSERT_EQ(error.has_value(), admit(kind, status) == Admission::Refused);
      if (!error) continue;
      EXPECT_EQ(error->code(), ErrorCode::Conflict);
      EXPECT_THAT(error->message(), HasSubstr("Instance web"));
    }
  }
  EXPECT_EQ(refusal(OperationKind::start, stopping, "web")->message(),
            "Instance web can't be started while it is stopping: wait until that has ended.");
  EXPECT_TRUE(refusal(OperationKind::start, stopping, "web")->retryable());
  EXPECT_FALSE(refusal(OperationKind::start, deleted, "web")->retryable());
}

}  // namespace
}  // namespace swarm
