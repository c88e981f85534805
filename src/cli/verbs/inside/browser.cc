// Starts xdg-open.
#include "cli/verbs/inside/browser.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/text/format.h"
#include "cli/output/output.h"
#include "model/codec/codec.h"

extern char** environ;

namespace swarm::cli {
namespace {

/// False where there is no desktop.
bool startBrowser(const std::string& url) {
  if (!std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) return false;
  std::string program = "xdg-open", argument = url;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, "xdg-open", nullptr, nullptr, arguments, environ) != 0) return false;
  int exit_status = 0;
  ::waitpid(child, &exit_status, 0);
  return WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0;
}

}  // namespace

void reportStopped(const Instance& instance) {
  if (instance.status == InstanceStatus::running) return;
  const std::string& name = instance.config.name;
  report(format("{} is {}. Start it with `swarm start {}`; an open page then continues.\n", name, enumName(instance.status), name));
}

void openInBrowser(const Instance& instance, const std::string& url) {
  reportStopped(instance);
  if (!startBrowser(url)) print(url + "\n");
}

}  // namespace swarm::cli
