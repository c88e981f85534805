// Storm: many workspaces made, changed, brought back and deleted at the same time, each step cut off at a random moment.
#pragma once

#include <boost/json/object.hpp>

#include "controller/controller.h"

namespace swarm::test {

struct StormPlan {
  std::size_t lanes = 14;
  std::size_t rounds = 10;  ///< in each lane
  unsigned seed = 1;
  bool hasAgent = false;     ///< the image has one: snapshots and restores, too
  bool moves = false;        ///< some move to Fly, and back
  bool keepsVolumes = true;  ///< some are deleted without their volumes, which are deleted afterwards
  int longestPause = 400;    ///< milliseconds before a step is cut off
};

/// Runs on the control loop. Every workspace has been deleted at the end; gives how often what was done, and what went wrong ("wrong", an
/// array of sentences).
boost::asio::awaitable<boost::json::object> runStorm(SwarmController& controller, StormPlan plan);

}  // namespace swarm::test
