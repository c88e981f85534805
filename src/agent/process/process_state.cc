// Reads /proc/N/stat, "pid (name) state ppid …", whose name may contain any character, and the same file of each thread.
#include "agent/process/process_state.h"

#include <array>
#include <fstream>
#include <sstream>

namespace swarm::agent {
namespace {
constexpr int kFieldsToStartTime = 18;  // between the parent, the 4th field, and the start time, the 22nd, counting the latter

struct Line {
  char state = 'X';
  pid_t parent = 0;
  std::uint64_t started = 0;
};

std::optional<Line> readLine(const std::filesystem::path& path) {
  std::istringstream fields(statBehindName(path));
  Line line;
  fields >> line.state >> line.parent;
  std::string skipped;
  for (int i = 1; i < kFieldsToStartTime; ++i) fields >> skipped;
  fields >> line.started;
  return fields ? std::optional(line) : std::nullopt;
}

bool standsStill(char state) { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }

}  // namespace

std::string statBehindName(const std::filesystem::path& stat) {
  std::array<char, 4096> text{};  // a line has about 300 bytes
  std::ifstream file(stat);
  // Not with the buffer's iterators: they throw if the process ends between open and read.
  file.read(text.data(), text.size());
  std::string_view line(text.data(), static_cast<std::size_t>(file.gcount()));
  auto end_of_name = line.rfind(')');
  return end_of_name == std::string_view::npos ? std::string() : std::string(line.substr(end_of_name + 1));
}

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

}  // namespace swarm::agent
