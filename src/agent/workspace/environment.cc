// Environments for the agent's children.
#include "agent/workspace/environment.h"

namespace swarm::agent {
namespace {
constexpr std::string_view kOwnCommands = "/opt/swarm/bin";
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string withOwnCommands(std::string path) {
  if (path.empty()) path = kDefaultPath;
  if ((":" + path + ":").find(":" + std::string(kOwnCommands) + ":") != std::string::npos) return path;
  return std::string(kOwnCommands) + ":" + path;
}
}  // namespace

Environment containerEnvironment(char** environment) {
  Environment result;
  for (char** line = environment; line && *line; ++line) {
    std::string_view text = *line;
    auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || text.starts_with("SWARM_")) continue;
    result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Environment loginEnvironment(Environment base, const UserRecord& user, const Environment& extra) {
  base["HOME"] = user.home;
  base["USER"] = user.name;
  base["LOGNAME"] = user.name;
  base["SHELL"] = user.shell;
  base["PATH"] = withOwnCommands(base["PATH"]);
  base.try_emplace("LANG", "C.UTF-8");
  for (const auto& [name, value] : extra) base[name] = value;
  return base;
}

std::vector<std::string> toLines(const Environment& environment) {
  std::vector<std::string> lines;
  lines.reserve(environment.size());
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

}  // namespace swarm::agent
