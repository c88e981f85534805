// The table of §4.
#include "emulator/state/machine_state.h"

#include <algorithm>
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <initializer_list>
#include <string>

namespace swarm::emulator {
namespace {

using State = MachineState;

bool isOneOf(State state, std::initializer_list<State> states) { return std::ranges::find(states, state) != states.end(); }

}  // namespace

std::string_view toString(MachineState state) { return boost::describe::enum_to_string(state, ""); }

std::optional<MachineState> machineStateFrom(std::string_view name) {
  MachineState state{};
  return boost::describe::enum_from_string(std::string(name).c_str(), state) ? std::optional(state) : std::nullopt;
}

bool isTransient(MachineState state) {
  return isOneOf(state, {State::starting, State::stopping, State::restarting, State::suspending, State::replacing, State::destroying});
}

bool holdsCapacity(MachineState state) {
  return !isOneOf(state, {State::created, State::stopped, State::failed, State::destroying, State::destroyed});
}

bool canFollow(MachineState from, MachineState to) {
  if (to == State::destroying) return from != State::destroying && from != State::destroyed;
  switch (from) {
    case State::created:
      return isOneOf(to, {State::starting, State::stopping, State::replacing, State::failed});
    case State::starting:
      return isOneOf(to, {State::started, State::failed, State::stopped});
    case State::started:
      return isOneOf(to, {State::stopping, State::stopped, State::restarting, State::starting, State::suspending, State::replacing});
    case State::stopping:
      return isOneOf(to, {State::stopped, State::failed});
    case State::stopped:
      return isOneOf(to, {State::starting, State::replacing});
    case State::restarting:
      return isOneOf(to, {State::starting, State::failed, State::stopped});
    case State::suspending:
      return isOneOf(to, {State::suspended, State::started, State::stopped});
    case State::suspended:
      return isOneOf(to, {State::starting, State::stopping, State::replacing, State::stopped});
    case State::replacing:
      return isOneOf(to, {State::starting, State::created, State::stopped, State::failed});
    case State::failed:
      return isOneOf(to, {State::starting, State::stopping, State::replacing});
    case State::destroying:
      return to == State::destroyed;
    case State::destroyed:
      break;
  }
  return false;
}

}  // namespace swarm::emulator
