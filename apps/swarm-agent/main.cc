// swarm-agent: process 1 of every instance. Arguments: the container's own command, if it has one.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/process/init.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "protocol/agent.h"

extern char** environ;  // not declared by any POSIX header

namespace {

std::string environmentOr(const char* name, std::string_view fallback) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::string(fallback);
}

swarm::agent::AgentConfig readConfig() {
  std::string settings = environmentOr(swarm::agent::kSettingsVariable, "");
  if (!settings.empty()) return swarm::agent::readSettings(settings);
  std::string path = environmentOr("SWARM_AGENT_CONFIG", swarm::agent::kConfigPath);
  // On Fly an app secret of this name contains the file's content, and every secret is in the environment, too.
  if (!path.starts_with('/')) path = swarm::agent::kConfigPath;
  swarm::agent::AgentConfig config = swarm::agent::loadConfig(path);
  swarm::agent::protectConfig(path);
  return config;
}

/// Ensures that descriptors 0 to 2 exist, so that no file of the agent gets one of these numbers.
void openStandardDescriptors() {
  int fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= 2) fd = ::open("/dev/null", O_RDWR);
  if (fd > 2) ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  openStandardDescriptors();
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("swarm-agent " SWARM_VERSION);
    return 0;
  }
  try {
    // The data that passes through it is private to the user; the memory of an older agent holds a secret.
    ::prctl(PR_SET_DUMPABLE, 0);
    swarm::agent::requireRoot(::geteuid());
    swarm::agent::AgentOptions options;
    options.config = readConfig();
    options.environment = swarm::agent::containerEnvironment(environ);
    options.port = swarm::agent::kPort;
    options.command.assign(argv + 1, argv + argc);
    return swarm::agent::runAgent(std::move(options));
  } catch (...) {
    swarm::log::error("swarm-agent cannot run", {{"reason", swarm::describeCurrentException()}});
    return 1;
  }
}
