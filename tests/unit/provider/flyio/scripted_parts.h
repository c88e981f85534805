// A MachinesClient on a ScriptedFly, with short times, for tests of the provider's parts.
#pragma once

#include <gtest/gtest.h>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/fly_swarm.h"
#include "unit/provider/flyio/scripted_fly.h"

namespace swarm::flyio {

inline Tuning quickTuning() {
  Tuning tuning;
  tuning.firstPause = std::chrono::milliseconds(1);
  tuning.longestPause = std::chrono::milliseconds(4);
  tuning.lookFor = std::chrono::milliseconds(60);
  tuning.boundPatience = std::chrono::milliseconds(60);
  tuning.ratesTimes = 1000;
  return tuning;
}

class ScriptedParts : public ::testing::Test {
 protected:
  static Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }
  static FlyIOProviderConfig config() {
    FlyIOProviderConfig config;
    config.apiToken = Secret("fm2_secret");
    return config;
  }
  static Machine machine(std::string id = "m1") {
    Machine machine;
    machine.app = "a1";
    machine.id = std::move(id);
    return machine;
  }

  test::TestLoop loop_;
  ScriptedFly fly_{loop_};
  FlySwarm swarm_{config(), "swarm-1"};
  MachinesClient client_{fly_.url(), Secret("fm2_secret"), "personal", quickTuning()};
};

}  // namespace swarm::flyio
