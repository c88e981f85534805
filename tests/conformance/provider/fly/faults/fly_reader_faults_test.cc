// Readers of Fly's snapshots in trouble: calls that are cut off, responses that say nothing, a host without room or dead.
#include "conformance/provider/fly/faults/fly_snapshots.h"

namespace swarm::testing {
namespace {

TEST_F(FlySnapshots, openingAgainFindsTheFirst) {
  makeWorkspace();
  ProviderInstance first = openReader();
  EXPECT_EQ(openReader().external, first.external);
  quickServer();
  EXPECT_EQ(openReader().external, first.external);
  EXPECT_EQ(world_.count("machines"), 2);
  EXPECT_EQ(world_.count("volumes"), 2);
  closeReader();
  expectInstanceAlone();
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, anOpenThatIsCutOffAnywhereIsFinishedByTheNext) {
  makeWorkspace();
  int requests = requestsOfOpen();
  ASSERT_GT(requests, 6);
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(at);
    cutOpenAt(at);
    openReader();
    EXPECT_EQ(read(reader_), "first");
    EXPECT_EQ(world_.count("machines"), 2);
    EXPECT_EQ(world_.count("volumes"), 2);
    closeReader();
    expectInstanceAlone();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, anOpenThatIsCutOffAnywhereIsRemoved) {
  makeWorkspace();
  int requests = requestsOfOpen();
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(at);
    cutOpenAt(at);
    closeReader();
    expectInstanceAlone();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, answersThatSayNothingMakeNoSecondOne) {
  makeWorkspace();
  int requests = requestsOfOpen();
  int failed = 0;
  for (const char* effect :
       {R"({"cut":"after"})", R"({"cut":"before"})", R"({"status":408,"body":{"error":"deadline_exceeded: x"},"commit":true})",
        R"({"status":500,"body":"","commit":true})", R"({"status":200,"body":"<html>"})", R"({"empty_list":true})", R"({"error":"E23"})",
        R"({"status":429,"body":"","headers":{"Retry-After":"0"}})", R"({"error":"E6"})"}) {
    for (int at = 0; at < requests; ++at) {
      SCOPED_TRACE(format("{} at {}", effect, at));
      world_.fault(format(R"({{"skip":{},"count":1,"effect":{}}})", at, effect));
      failed += errorOf([&] { openReader(); }) ? 1 : 0;
      world_.clearFaults();
      EXPECT_LE(world_.count("machines"), 2);
      quickServer();
      openReader();
      EXPECT_EQ(read(reader_), "first");
      EXPECT_EQ(world_.count("machines"), 2);
      closeReader();
      expectInstanceAlone();
      recorded_.resources.clear();
    }
  }
  EXPECT_GT(failed, 0);
}

TEST_F(FlySnapshots, aCloseThatMeetsTroubleIsFinishedByTheNext) {
  makeWorkspace();
  for (const char* effect : {R"({"cut":"after"})", R"({"status":500,"body":""})", R"({"empty_list":true})", R"({"error":"E6"})"}) {
    for (int at = 0; at < 8; ++at) {
      SCOPED_TRACE(format("{} at {}", effect, at));
      openReader();
      quickServer();
      world_.fault(format(R"({{"skip":{},"count":1,"effect":{}}})", at, effect));
      auto error = errorOf([&] { closeReader(); });
      world_.clearFaults();
      if (!error) expectInstanceAlone();  // what says that it is done is done
      closeReader();
      expectInstanceAlone();
      recorded_.resources.clear();
    }
  }
}

TEST_F(FlySnapshots, anExpiredSnapshotIsReportedAndNothingIsMade) {
  makeWorkspace();
  std::string real = std::exchange(snapshot_, "vs_0123456789abcdef");
  auto error = errorOf([&] { openReader(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  EXPECT_NE(error->message().find("vs_0123456789abcdef"), std::string::npos);
  snapshot_ = real;  // it is deleted between the check and the copy
  world_.fault(R"({"match":{"action":"volume_create"},"effect":{"status":404,"body":{"error":"snapshot not found"}}})");
  error = errorOf([&] { openReader(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, aHostWithoutRoomIsLeftForAnother) {
  makeWorkspace();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  openReader();
  EXPECT_EQ(read(reader_), "first");
  EXPECT_EQ(world_.count("volumes"), 2);
  closeReader();
  recorded_.resources.clear();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E22"}})");
  openReader();
  EXPECT_EQ(stringAt(machineOf(reader_), "region"), "fra");
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, areThereWhenTheInstancesHostIsDead) {
  makeWorkspace();
  world_.send("POST", "/emulator/machines/" + stringAt(machineOf(wanted_.placeId), "id") + "/host",
              json::object{{"status", "unreachable"}});
  EXPECT_EQ(get(wanted_.placeId)->status, InstanceStatus::failed);
  EXPECT_EQ(listed().size(), 1u);
  openReader();
  EXPECT_EQ(read(reader_), "first");
  closeReader();
  EXPECT_EQ(world_.count("machines"), 1);
  EXPECT_EQ(world_.count("volumes"), 1);
}

}  // namespace
}  // namespace swarm::testing
