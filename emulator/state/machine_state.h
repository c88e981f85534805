// The states of a Machine and the allowed transitions (§4): one table, without side effects.
#pragma once

#include <boost/describe/enum.hpp>
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
  failed
};
BOOST_DESCRIBE_ENUM(MachineState, created, starting, started, stopping, stopped, restarting, suspending, suspended, replacing, destroying,
                    destroyed, failed)

std::string_view toString(MachineState state);
std::optional<MachineState> machineStateFrom(std::string_view name);

/// In transition to another state: wait?state=settled waits for its end.
bool isTransient(MachineState state);
/// A started, suspended or changing Machine uses its guest's memory and CPUs on its host (§10).
bool holdsCapacity(MachineState state);
bool canFollow(MachineState from, MachineState to);

}  // namespace swarm::emulator
