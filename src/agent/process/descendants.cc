// Parents of all processes, by /proc/N/stat.
#include "agent/process/descendants.h"

#include <charconv>
#include <map>
#include <sstream>
#include <string>

#include "agent/process/process_state.h"

namespace swarm::agent {
namespace {

pid_t parentOf(const std::filesystem::path& process) {
  std::istringstream fields(statBehindName(process / "stat"));
  std::string state;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

}  // namespace

std::vector<pid_t> descendantsOf(pid_t ancestor, const std::filesystem::path& proc) {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(proc, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename();
    pid_t pid = 0;
    auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (pid_t parent = parentOf(entry->path()); parent != 0) children.emplace(parent, pid);
  }
  std::vector<pid_t> found{ancestor};
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

}  // namespace swarm::agent
