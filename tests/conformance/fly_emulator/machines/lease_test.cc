// Cases 73 to 79: leases.
#include <boost/json/serialize.hpp>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

std::int64_t secondsNow(const Clock& clock) { return clock.now().time_since_epoch().count() / 1000; }

TEST_P(FlyRules, case073_aLeaseIsGivenWithItsNonceAndEnd) {
  createApp();
  const FlyMachine machine = started();
  const std::int64_t before = secondsNow(clock);
  const FlyResponse response = post(machine.path + "/lease", R"({"ttl":5})");
  const std::int64_t after = secondsNow(clock);
  EXPECT_EQ(response.status, 201) << response;
  EXPECT_EQ(response.at("/status"), "success");
  EXPECT_NE(response.at("/data/nonce"), "(missing)");
  EXPECT_NE(response.at("/data/nonce"), "");
  EXPECT_EQ(response.at("/data/version"), machine.version);
  const auto expires = response.body.at_pointer("/data/expires_at").to_number<std::int64_t>();
  EXPECT_GE(expires, before + 5);
  EXPECT_LE(expires, after + 6);
}

TEST_P(FlyRules, case074_aLeasesTtlMayStandInTheQuery) {
  createApp();
  const FlyMachine machine = started();
  const std::int64_t before = secondsNow(clock);
  const FlyResponse response = post(machine.path + "/lease?ttl=120");
  EXPECT_EQ(response.status, 201) << response;
  const auto expires = response.body.at_pointer("/data/expires_at").to_number<std::int64_t>();
  EXPECT_GE(expires, before + 120);
  EXPECT_LE(expires, secondsNow(clock) + 121);
}

TEST_P(FlyRules, case075_aSecondLeaseIsRefusedWithTheHoldersName) {
  createApp();
  const FlyMachine machine = started();
  lease(machine);
  const FlyResponse response = post(machine.path + "/lease", R"({"ttl":5})");
  EXPECT_EQ(response.status, 409) << response;
  EXPECT_EQ(response.at("/status"), "error");
  EXPECT_TRUE(response.at("/message").contains("machine ID " + machine.id + " lease currently held by ada@example.com, expires at "))
      << response;
}

TEST_P(FlyRules, case076_aLeaseIsRefreshedByItsHolder) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse first = post(machine.path + "/lease", R"({"ttl":30})");
  ASSERT_EQ(first.status, 201) << first;
  clock.advance(std::chrono::seconds(10));
  const FlyResponse again = postWithNonce(machine.path + "/lease", first.at("/data/nonce"), R"({"ttl":30})");
  EXPECT_EQ(again.status, 201) << again;
  EXPECT_GE(again.body.at_pointer("/data/expires_at").to_number<std::int64_t>(),
            first.body.at_pointer("/data/expires_at").to_number<std::int64_t>() + 10);
  clock.advance(std::chrono::seconds(25));
  EXPECT_EQ(get(machine.path + "/lease").status, 200) << "the first lease would have expired";
}

TEST_P(FlyRules, case077_aLeasedMachineIsChangedOnlyWithTheNonce) {
  createApp();
  const FlyMachine machine = started();
  const std::string nonce = lease(machine);
  const std::string update = json::serialize(json::object{{"config", configWith("env", {{"A", "1"}})}});
  for (const char* action : {"/stop", "/start", "/suspend", "/restart", "/cordon"}) {
    EXPECT_EQ(post(machine.path + action).status, 409) << action;
    EXPECT_EQ(postWithNonce(machine.path + action, "wrong").status, 409) << action;
  }
  EXPECT_EQ(post(machine.path, update).status, 409);
  EXPECT_EQ(remove(machine.path + "?force=true").status, 409);
  EXPECT_EQ(state(machine), "started");
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
  EXPECT_EQ(postWithNonce(machine.path + "/stop", nonce).status, 200);
  waitFor(machine, "stopped");
}

TEST_P(FlyRules, case077_metadataAndExecDoNotRequireTheNonce) {
  createApp();
  const FlyMachine machine = started();
  lease(machine);
  EXPECT_EQ(patch(machine.path + "/metadata", R"({"metadata":{"a":"1"}})").status, 204);
  const FlyResponse executed = post(machine.path + "/exec", R"({"command":["echo","hi"]})");
  EXPECT_EQ(executed.status, 200) << executed;
}

TEST_P(FlyRules, case078_aLeaseIsReleasedByItsHolderOnly) {
  createApp();
  const FlyMachine machine = started();
  const std::string nonce = lease(machine);
  const FlyResponse without = remove(machine.path + "/lease");
  EXPECT_GE(without.status, 400) << without;
  EXPECT_LT(without.status, 500) << without;
  const FlyResponse wrong = send({"DELETE", machine.path + "/lease", {}, {{kNonce, "000000000000"}}});
  EXPECT_GE(wrong.status, 400) << wrong;
  EXPECT_LT(wrong.status, 500) << wrong;
  EXPECT_EQ(get(machine.path + "/lease").status, 200) << "it is still held";
  EXPECT_EQ(post(machine.path + "/stop").status, 409);
  const FlyResponse released = send({"DELETE", machine.path + "/lease", {}, {{kNonce, nonce}}});
  EXPECT_EQ(released.status, 200) << released;
  EXPECT_EQ(released.at("/status"), "success");
  EXPECT_EQ(released.at("/data/ok"), "true");
  EXPECT_EQ(post(machine.path + "/stop").status, 200);
}

TEST_P(FlyRules, case079_aLeaseThatIsNotThereOrHasEndedIsNotFound) {
  createApp();
  const FlyMachine machine = started();
  const auto expectNoLease = [&] {
    const FlyResponse response = get(machine.path + "/lease");
    EXPECT_EQ(response.status, 404) << response;
    EXPECT_TRUE(response.text.contains("lease not found")) << response;
  };
  expectNoLease();
  lease(machine, R"({"ttl":5})");
  EXPECT_EQ(get(machine.path + "/lease").status, 200);
  clock.advance(std::chrono::seconds(6));
  expectNoLease();
  EXPECT_EQ(post(machine.path + "/stop").status, 200) << "an expired lease has no effect";
}

}  // namespace
}  // namespace swarm::testing
