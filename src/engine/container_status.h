// ContainerStatus: the Engine's term for what a container does.
#pragma once

#include <iterator>
#include <string_view>

namespace swarm::engine {

/// unknown: a term that this version does not know.
enum class ContainerStatus { created, running, paused, restarting, removing, exited, dead, unknown };
inline constexpr std::string_view kContainerStatuses[] = {"created",  "running", "paused", "restarting",
                                                          "removing", "exited",  "dead",   "unknown"};  ///< in the order of ContainerStatus

constexpr std::string_view toString(ContainerStatus status) { return kContainerStatuses[static_cast<std::size_t>(status)]; }
constexpr ContainerStatus containerStatusOf(std::string_view term) {
  for (std::size_t at = 0; at < std::size(kContainerStatuses); ++at)
    if (kContainerStatuses[at] == term) return static_cast<ContainerStatus>(at);
  return ContainerStatus::unknown;
}
/// It has processes.
constexpr bool isAlive(ContainerStatus status) {
  return status == ContainerStatus::running || status == ContainerStatus::paused || status == ContainerStatus::restarting;
}

}  // namespace swarm::engine
