// Reading /proc/N/stat, "pid (name) state ppid …", whose name may hold anything, and the same of each thread.
#include "agent/process_state.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace swarm::agent {
namespace {
constexpr int kFieldsToStartTime = 18;  // between the parent, the 4th field, and the start time, the 22nd, counting the latter

struct Line {
  char state = 'X';
  pid_t parent = 0;
  std::uint64_t started = 0;
};

std::optional<Line> readLine(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(end_of_name + 1));
  Line line;
  fields >> line.state >> line.parent;
  std::string skipped;
  for (int i = 1; i < kFieldsToStartTime; ++i) fields >> skipped;
  fields >> line.started;
  return fields ? std::optional(line) : std::nullopt;
}

bool standsStill(char state) { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }

}  // namespace

std::optional<ProcessState> stateOf(pid_t pid, const std::filesystem::path& proc) {
  auto process = proc / std::to_string(pid);
  auto line = readLine(process / "stat");
  if (!line) return std::nullopt;
  ProcessState state{line->parent, line->started, standsStill(line->state)};
  // A first thread that has ended tells nothing of the others, and they stop one after the other.
  std::error_code error;
  for (std::filesystem::directory_iterator entry(process / "task", error), end; state.still && !error && entry != end;
       entry.increment(error)) {
    if (auto thread = readLine(entry->path() / "stat")) state.still = standsStill(thread->state);
  }
  return state;
}

}  // namespace swarm::agent
