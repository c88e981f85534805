// The docker backend: a Machine is a container on a Docker Engine, a Fly volume a volume of the Engine. README.md has the details.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "emulator/backend.h"
#include "engine/transport/endpoint.h"

namespace swarm::emulator {

struct DockerBackendOptions {
  engine::Endpoint engine;          ///< where the Engine is; must be local, because connect() uses the addresses of containers
  std::string emulatorId;           ///< [a-z0-9-], at most 32: in labels and names of all resources; two emulators can share one Engine
  std::filesystem::path guestTool;  ///< the static program fly-guest-tool, process 1 of each Machine; also copies volumes
};

inline constexpr std::string_view kLabelEmulator = "fly-emulator.id";      ///< on all resources
inline constexpr std::string_view kLabelMachine = "fly-emulator.machine";  ///< on containers of Machines
inline constexpr std::string_view kLabelApp = "fly-emulator.app";          ///< on containers of Machines
inline constexpr std::string_view kLabelNetwork = "fly-emulator.network";  ///< on containers and networks: the 6PN's name
inline constexpr std::string_view kLabelVolume = "fly-emulator.volume";    ///< on volumes
inline constexpr std::string_view kLabelHelper = "fly-emulator.helper";    ///< on containers that copy or measure

/// A suspended Machine counts as running. The sink is not called for processes that ended before open() (use isRunning()), nor for those
/// removed by destroy() or a new boot(). Throws Error(InvalidArgument) for an invalid id or an unreadable tool; never for an unreachable
/// Engine.
BackendPtr makeDockerBackend(DockerBackendOptions options);

}  // namespace swarm::emulator
