#include "cli/browser.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

extern char** environ;

namespace swarm::cli {

bool isWebLink(std::string_view url) {
  const bool is_printable = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
  return is_printable && (url.starts_with("http://") || url.starts_with("https://"));
}

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

}  // namespace swarm::cli
