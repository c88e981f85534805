// CommandRunner: commands through Fly's exec: small texts and short commands only. Larger ones are refused before they are sent, because
// Fly drops them silently (docs/reference/fly-machines.md §8). The agent has none of these limits.
#pragma once

#include <string>
#include <vector>

#include "provider/flyio/machine/machine_finder.h"

namespace swarm::flyio {

class CommandRunner {
 public:
  CommandRunner(MachinesClient& client, MachineFinder& machines) : client_(client), machines_(machines) {}
  awaitable<CommandResult> run(PlaceId place_id, std::vector<std::string> command, std::string input, Deadline deadline);

 private:
  MachinesClient& client_;
  MachineFinder& machines_;
};

}  // namespace swarm::flyio
