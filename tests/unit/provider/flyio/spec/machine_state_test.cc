// A Machine as an instance.
#include "provider/flyio/spec/machine_state.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {
namespace {

Machine machineOf(std::string_view document) { return readMachine(json::parse(document), "a1"); }

TEST(MachineState, showsHowAMachineEnded) {
  auto ended = [](std::string_view exit_event) {
    std::string text = R"({"id":"m1","state":"stopped","config":{"metadata":{}},"events":[{"type":"exit","request":{"exit_event":)";
    return toInstance(machineOf(text + std::string(exit_event) + "}}]}"), FlyIOProviderConfig{});
  };
  EXPECT_EQ(ended(R"({"exit_code":143,"requested_stop":true})").status, InstanceStatus::stopped);
  EXPECT_EQ(ended(R"({"exit_code":0})").status, InstanceStatus::stopped);
  EXPECT_EQ(ended(R"({"exit_code":3})").status, InstanceStatus::failed);
  EXPECT_EQ(ended(R"({"exit_code":3})").reason, "exited with code 3");
  EXPECT_EQ(ended(R"({"exit_code":137,"oom_killed":true})").reason, "exited with code 137 (out of memory)");
  EXPECT_EQ(ended(R"({"exit_code":137,"guest_exit_code":137,"guest_signal":9})").reason, "was killed by signal 9 (exit code 137)");
}

TEST(MachineState, eachOfFlysStatesHasAStatus) {
  auto status_of = [](std::string_view state) {
    return toInstance(machineOf(R"({"id":"m1","state":")" + std::string(state) + R"(","config":{}})"), FlyIOProviderConfig{}).status;
  };
  for (std::string_view state : {"created", "creating"}) EXPECT_EQ(status_of(state), InstanceStatus::creating) << state;
  for (std::string_view state : {"starting", "restarting", "updating", "replacing"})
    EXPECT_EQ(status_of(state), InstanceStatus::starting) << state;
  EXPECT_EQ(status_of("started"), InstanceStatus::running);
  for (std::string_view state : {"stopping", "suspending"}) EXPECT_EQ(status_of(state), InstanceStatus::stopping) << state;
  for (std::string_view state : {"stopped", "suspended", "of tomorrow", ""}) EXPECT_EQ(status_of(state), InstanceStatus::stopped) << state;
  for (std::string_view state : {"failed", "launch_failed"}) EXPECT_EQ(status_of(state), InstanceStatus::failed) << state;
  for (std::string_view state : {"destroying", "destroyed", "replaced", "migrated"})
    EXPECT_EQ(status_of(state), InstanceStatus::deleting) << state;
}

TEST(MachineState, oneThatFlyAddsKeepsItsNameAndIsTransientByIt) {
  const Machine machine = machineOf(R"({"id":"m1","state":"teleporting","config":{}})");
  EXPECT_EQ(machine.state, OpenEnum<MachineState>::ofName("teleporting"));
  EXPECT_EQ(machine.state.name(), "teleporting");
  EXPECT_TRUE(isTransient(machine.state));
  EXPECT_FALSE(isTransient(OpenEnum<MachineState>::ofName("parked")));
}

TEST(MachineState, aHostThatCanNotBeReachedIsShown) {
  Machine machine =
      machineOf(R"({"id":"m1","state":"started","host_status":"unreachable","incomplete_config":{"metadata":{"swarm_instance":"i-1"}}})");
  EXPECT_FALSE(machine.hasConfig);
  ProviderInstance instance = toInstance(machine, FlyIOProviderConfig{});
  EXPECT_EQ(instance.placeId, PlaceId("i-1"));
  EXPECT_NE(instance.reason.find("unreachable"), std::string::npos);
  machine.state = MachineState::destroying;
  EXPECT_EQ(toInstance(machine, FlyIOProviderConfig{}).status, InstanceStatus::deleting);
}

TEST(MachineState, generationsAreInTheNames) {
  Machine machine = machineOf(R"({"id":"m1","name":"i-1-g3","config":{"metadata":{"swarm_instance":"i-1"}}})");
  EXPECT_EQ(generationOf(machine), 3);
  machine.name = "i-1";
  EXPECT_EQ(generationOf(machine), 0);
  EXPECT_EQ(machineName(PlaceId("i-1"), 3), "i-1-g3");
  EXPECT_EQ(generationOf(readVolume(json::parse(R"({"name":"data"})"), "")), 0);
  EXPECT_EQ(generationOf(readVolume(json::parse(R"({"name":"data_2"})"), "")), 2);
  EXPECT_EQ(generationOf(readVolume(json::parse(R"({"name":"database"})"), "")), -1);
}

}  // namespace
}  // namespace swarm::flyio
