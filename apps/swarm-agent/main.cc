// swarm-agent: process 1 of every instance. Arguments: the container's own command, if it has one.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/init.h"
#include "base/error.h"
#include "base/log.h"
#include "protocol/agent.h"

extern char** environ;  // POSIX has no header for it

namespace {

std::string environmentOr(const char* name, std::string_view fallback) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::string(fallback);
}

swarm::agent::AgentConfig readConfig() {
  std::string settings = environmentOr(swarm::agent::kSettingsVariable, "");
  if (!settings.empty()) return swarm::agent::readSettings(settings);
  std::string path = environmentOr("SWARM_AGENT_CONFIG", swarm::agent::kConfigPath);
  // On Fly an app secret of this name holds the file's content, and every secret is in the environment, too.
  if (!path.starts_with('/')) path = swarm::agent::kConfigPath;
  swarm::agent::AgentConfig config = swarm::agent::loadConfig(path);
  swarm::agent::protectConfig(path);
  return config;
}

/// Descriptors 0 to 2 exist, so that nothing of ours is ever taken for one of them.
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
    // What passes through it is the user's and nobody else's business; an older one's memory holds a secret.
    ::prctl(PR_SET_DUMPABLE, 0);
    swarm::agent::requireRoot(::geteuid());
    swarm::agent::AgentOptions options;
    options.config = readConfig();
    options.environment = swarm::agent::containerEnvironment(environ);
    options.port = swarm::agent::kPort;
    options.command.assign(argv + 1, argv + argc);
    return swarm::agent::runAgent(std::move(options));
  } catch (...) {
    swarm::log::error("swarm-agent can't run", {{"reason", swarm::describeCurrentException()}});
    return 1;
  }
}
