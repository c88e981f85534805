// Reads /proc/N/stat, "pid (name) state ppid …", whose name may contain any character, and the same file of each thread.
#include "agent/process/process_state.h"

#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "base/text/number.h"

namespace swarm::agent {
namespace {
constexpr int kFieldsToStartTime = 18;  // between the parent, the 4th field, and the start time, the 22nd, counting the latter

/// The part of a stat file after the process's name, from " state ppid" on. Empty: the process does not exist (any more).
std::string statBehindName(const std::filesystem::path& stat) {
  std::array<char, 4096> text{};  // a line has about 300 bytes
  std::ifstream file(stat);
  // Not with the buffer's iterators: they throw if the process ends between open and read.
  file.read(text.data(), text.size());
  std::string_view line(text.data(), static_cast<std::size_t>(file.gcount()));
  auto end_of_name = line.rfind(')');
  return end_of_name == std::string_view::npos ? std::string() : std::string(line.substr(end_of_name + 1));
}

struct Line {
  char state = 'X';
  pid_t parent = 0;
  std::uint64_t started = 0;
};

std::optional<Line> readLine(const std::filesystem::path& path) {
  std::istringstream fields(statBehindName(path));
  Line line;
  if (!(fields >> line.state >> line.parent)) return std::nullopt;
  std::string skipped;
  for (int i = 1; i < kFieldsToStartTime; ++i) fields >> skipped;
  fields >> line.started;
  return line;
}

bool standsStill(char state) { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }

}  // namespace

std::optional<ProcessState> stateOf(pid_t pid, const std::filesystem::path& proc) {
  auto process = proc / std::to_string(pid);
  auto line = readLine(process / "stat");
  if (!line) return std::nullopt;
  ProcessState state{line->parent, line->started, standsStill(line->state)};
  // A first thread that has ended does not reflect the others, and threads stop one after the other.
  std::error_code error;
  for (std::filesystem::directory_iterator entry(process / "task", error), end; state.still && !error && entry != end;
       entry.increment(error)) {
    if (auto thread = readLine(entry->path() / "stat")) state.still = standsStill(thread->state);
  }
  return state;
}

std::vector<pid_t> processesIn(const std::filesystem::path& proc) {
  std::vector<pid_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(proc, error), end; !error && entry != end; entry.increment(error)) {
    if (auto pid = parseNumber<pid_t>(entry->path().filename().native())) found.push_back(*pid);
  }
  return found;
}

std::vector<pid_t> descendantsOf(pid_t ancestor, const std::filesystem::path& proc) {
  std::multimap<pid_t, pid_t> children;
  for (pid_t pid : processesIn(proc)) {
    if (auto line = readLine(proc / std::to_string(pid) / "stat")) children.emplace(line->parent, pid);
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
