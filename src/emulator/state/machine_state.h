// The states of a Machine and which may follow which (§4): one table, without a side effect.
#pragma once

#include <optional>
#include <string_view>

namespace swarm::emulator {

enum class MachineState {
  created,
  starting,
  started,
  stopping,
  stopped,
  restarting,
  suspending,
  suspended,
  replacing,
  destroying,
  destroyed,
  failed,
};

std::string_view toString(MachineState state);
std::optional<MachineState> machineStateFrom(std::string_view name);

/// On the way to another state: wait?state=settled waits for its end.
bool isTransient(MachineState state);
/// A started, suspended or changing Machine holds its guest's memory and CPUs on its host (§10).
bool holdsCapacity(MachineState state);
bool canFollow(MachineState from, MachineState to);

}  // namespace swarm::emulator
