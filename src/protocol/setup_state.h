// SetupState: what an agent reports about the setup script of its container.
#pragma once

#include <iterator>
#include <string_view>

namespace swarm::agent {

/// None: there is no script.
enum class SetupState { None, Running, Succeeded, Failed };
inline constexpr std::string_view kSetupStates[] = {"none", "running", "succeeded", "failed"};  ///< in the order of SetupState

constexpr std::string_view toString(SetupState state) { return kSetupStates[static_cast<std::size_t>(state)]; }
/// None for a state that this version does not know.
constexpr SetupState setupStateOf(std::string_view name) {
  for (std::size_t at = 0; at < std::size(kSetupStates); ++at)
    if (kSetupStates[at] == name) return static_cast<SetupState>(at);
  return SetupState::None;
}

}  // namespace swarm::agent
