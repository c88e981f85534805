// The docker backend: a Machine is a container on a Docker Engine, a Fly volume a volume of the Engine's. README.md tells the rest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "emulator/backend.h"
#include "provider/docker/docker_config.h"

namespace swarm::emulator {

struct DockerBackendOptions {
  DockerProviderConfig engine;      ///< where the Engine is; a local one, because connect() goes to addresses of containers
  std::string emulatorId;           ///< [a-z0-9-], at most 32: labels and names of all that is made; two emulators can share one Engine
  std::filesystem::path guestTool;  ///< the static program fly-guest-tool, process 1 of each Machine, and what copies volumes
};

inline constexpr std::string_view kLabelEmulator = "fly-emulator.id";      ///< on everything that is made
inline constexpr std::string_view kLabelMachine = "fly-emulator.machine";  ///< on containers of Machines
inline constexpr std::string_view kLabelApp = "fly-emulator.app";          ///< on containers of Machines
inline constexpr std::string_view kLabelNetwork = "fly-emulator.network";  ///< on containers and networks: the 6PN's name
inline constexpr std::string_view kLabelVolume = "fly-emulator.volume";    ///< on volumes
inline constexpr std::string_view kLabelHelper = "fly-emulator.helper";    ///< on containers that copy or measure

/// A suspended Machine counts as running. The sink does not hear of what ended before open() (ask isRunning()), nor of what destroy() or a
/// new boot() swept away. Throws Error(InvalidArgument)
/// for a wrong id or a tool that can't be read; never for an Engine that does not answer.
BackendPtr makeDockerBackend(DockerBackendOptions options);

}  // namespace swarm::emulator
