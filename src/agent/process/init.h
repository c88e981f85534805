// Agent: the whole life of swarm-agent as process 1, from its settings to the end of every process in the instance.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/server/config.h"
#include "agent/server/service.h"
#include "agent/workspace/environment.h"
#include "agent/workspace/setup.h"
#include "protocol/agent.h"

namespace swarm::agent {

struct AgentOptions {
  AgentConfig config;
  std::uint16_t port = kPort;
  std::string listenHost;  ///< empty: every address
  std::vector<std::string> launcher{"/opt/swarm/bin/code-server"};
  std::filesystem::path socketDirectory = "/run/swarm";
  std::filesystem::path setupMark = SetupOptions().mark;
  std::vector<std::string> command;  ///< the container's own command, run beside VS Code; empty: none
  Environment environment;
  UserDatabase users;
  std::chrono::milliseconds stopPatience{8'000};  ///< from SIGTERM to SIGKILL; `docker stop` waits 10 s
};

/// Runs until SIGTERM or SIGINT, and returns the exit code: 0 after an orderly stop. Throws Error when it cannot start (port in use).
int runAgent(AgentOptions options);

}  // namespace swarm::agent
