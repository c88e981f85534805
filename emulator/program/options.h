// The command line of fly-emulator, and its process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/secret.h"
#include "net/connect.h"

namespace swarm::emulator {

enum class BackendKind { Docker, Memory };
enum class Transitions { None, LikeFly };  ///< duration of transient states in addition to the backend's own time

struct ProgramOptions {
  net::HostPort listen{"127.0.0.1", 4280};
  net::HostPort edge{"127.0.0.1", 4281};
  bool apiTls = false;
  bool edgeTls = false;
  std::filesystem::path data;  ///< empty: no persistent state
  BackendKind backend = BackendKind::Docker;
  std::filesystem::path dockerSocket = "/var/run/docker.sock";
  std::filesystem::path guestTool;  ///< empty: beside this program
  std::vector<Secret> tokens;
  std::string organization = "personal";
  bool strict = false;
  bool rateLimits = true;
  Transitions transitions = Transitions::None;
  std::vector<std::string> regions{"ams", "fra", "iad"};
  bool help = false;
  bool version = false;
};

std::string helpText();

/// Throws Error(InvalidArgument) with the error and the expected syntax.
ProgramOptions parseOptions(const std::vector<std::string>& arguments);

/// Backend, emulator, API and edge on one loop (process.cc). Serves until SIGTERM or SIGINT; then returns 0. Throws Error when it cannot
/// start.
int runProcess(ProgramOptions options);

}  // namespace swarm::emulator
