// The commands of a simulated Machine.
#include "emulator/memory/commands.h"

#include <algorithm>

#include "base/error.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

using Words = std::vector<std::string>;
using Command = ShellResult (*)(ShellState& state, const Words& words, const std::string& input);

std::string absolute(const std::string& path) { return path.starts_with('/') ? path : "/" + path; }

bool exists(ShellState& state, const std::string& path) {
  auto [files, name] = state.host.guest->locate(absolute(path));
  auto next = files->lower_bound(name);
  return next != files->end() && (next->first == name || next->first.starts_with(name.ends_with('/') ? name : name + "/"));
}

bool isFile(ShellState& state, const std::string& path) {
  auto [files, name] = state.host.guest->locate(absolute(path));
  return files->contains(name);
}

int toNumber(const std::string& text, int otherwise) {
  try {
    return std::stoi(text);
  } catch (const std::exception&) {
    return otherwise;
  }
}

ShellResult echo(ShellState&, const Words& words, const std::string&) {
  bool line_break = words.size() < 2 || words[1] != "-n";
  std::string text;
  for (std::size_t index = line_break ? 1 : 2; index < words.size(); ++index) {
    if (!text.empty() || index > (line_break ? 1U : 2U)) text += ' ';
    text += words[index];
  }
  return {0, text + (line_break ? "\n" : ""), ""};
}

ShellResult cat(ShellState& state, const Words& words, const std::string& input) {
  if (words.size() < 2) return {0, input, ""};
  ShellResult result;
  for (std::size_t index = 1; index < words.size(); ++index) {
    std::string content;
    if (words[index] == "-") {
      result.out += input;
    } else if (readFile(state, words[index], content)) {
      result.out += content;
    } else {
      result.exitCode = 1;
      result.err += "cat: can't open '" + words[index] + "': No such file or directory\n";
    }
  }
  return result;
}

ShellResult tee(ShellState& state, const Words& words, const std::string& input) {
  for (std::size_t index = 1; index < words.size(); ++index) writeFile(state, words[index], input, WriteMode::Replace);
  return {0, input, ""};
}

ShellResult environment(ShellState& state, const Words& words, const std::string&) {
  if (words.size() > 1) {
    auto found = state.variables.find(words[1]);
    return found == state.variables.end() ? ShellResult{1, "", ""} : ShellResult{0, found->second + "\n", ""};
  }
  ShellResult result;
  for (const auto& [name, value] : state.variables) result.out += name + "=" + value + "\n";
  return result;
}

ShellResult remove(ShellState& state, const Words& words, const std::string&) {
  for (std::size_t index = 1; index < words.size(); ++index) {
    if (words[index].starts_with('-')) continue;
    auto [files, name] = state.host.guest->locate(absolute(words[index]));
    std::erase_if(*files, [&, &gone = name](const auto& entry) { return entry.first == gone || entry.first.starts_with(gone + "/"); });
  }
  return {};
}

ShellResult touch(ShellState& state, const Words& words, const std::string&) {
  for (std::size_t index = 1; index < words.size(); ++index) writeFile(state, words[index], "", WriteMode::Append);
  return {};
}

ShellResult list(ShellState& state, const Words& words, const std::string&) {
  std::string path = "/";
  for (std::size_t index = 1; index < words.size(); ++index) {
    if (!words[index].starts_with('-')) path = absolute(words[index]);
  }
  auto [files, name] = state.host.guest->locate(path);
  if (files->contains(name)) return {0, path + "\n", ""};
  std::string prefix = name.ends_with('/') ? name : name + "/";
  ShellResult result;
  std::string last;
  for (const auto& [file, content] : *files) {
    if (!file.starts_with(prefix)) continue;
    std::string entry = file.substr(prefix.size(), file.find('/', prefix.size()) - prefix.size());
    if (entry != last) result.out += entry + "\n";
    last = entry;
  }
  if (result.out.empty() && path != "/" && files == &state.host.guest->root)
    return {1, "", "ls: " + path + ": No such file or directory\n"};
  return result;
}

ShellResult test(ShellState& state, const Words& words, const std::string&) {
  Words terms(words.begin() + 1, words.end());
  if (words.front() == "[" && !terms.empty()) terms.pop_back();
  bool negated = !terms.empty() && terms.front() == "!";
  if (negated) terms.erase(terms.begin());
  bool holds = false;
  if (terms.size() == 2) {
    const std::string& kind = terms[0];
    if (kind == "-e" || kind == "-d") holds = exists(state, terms[1]);
    if (kind == "-f") holds = isFile(state, terms[1]);
    if (kind == "-n") holds = !terms[1].empty();
    if (kind == "-z") holds = terms[1].empty();
  } else if (terms.size() == 3) {
    holds = (terms[1] == "=" || terms[1] == "==") ? terms[0] == terms[2] : terms[1] == "!=" && terms[0] != terms[2];
  }
  return {holds != negated ? 0 : 1, "", ""};
}

/// dd if=/dev/zero [of=FILE] bs=N count=N
ShellResult copyBlocks(ShellState& state, const Words& words, const std::string& input) {
  std::string source = input, target;
  int block = 512, count = -1;
  for (const std::string& word : words) {
    if (word.starts_with("if=") && word != "if=/dev/zero") readFile(state, word.substr(3), source);
    if (word.starts_with("of=")) target = word.substr(3);
    if (word.starts_with("bs=")) block = toNumber(word.substr(3), 512);
    if (word.starts_with("count=")) count = toNumber(word.substr(6), 0);
  }
  constexpr std::size_t kMax = 64 * 1024 * 1024;
  auto wanted = std::min(kMax, static_cast<std::size_t>(std::max(0, block)) * static_cast<std::size_t>(std::max(0, count)));
  if (std::ranges::find(words, "if=/dev/zero") != words.end())
    source.assign(wanted, '\0');
  else if (count >= 0)
    source.resize(std::min(source.size(), wanted));
  if (target.empty()) return {0, source, ""};
  writeFile(state, target, source, WriteMode::Replace);
  return {};
}

ShellResult trap(ShellState& state, const Words& words, const std::string&) {
  if (!state.host.isMain || words.size() < 3) return {};
  for (std::size_t index = 2; index < words.size(); ++index) {
    if (int number = signalNumber(words[index])) state.host.guest->traps[std::to_string(number)] = words[1];
  }
  return {};
}

ShellResult sendSignal(ShellState& state, const Words& words, const std::string&) {
  std::string signal = "TERM";
  for (std::size_t index = 1; index < words.size(); ++index) {
    if (words[index] == "-s" && index + 1 < words.size())
      signal = words[++index];
    else if (words[index].starts_with('-'))
      signal = words[index].substr(1);
  }
  if (words.back() != "1") return {1, "", "kill: (" + words.back() + ") - No such process\n"};
  if (state.host.kill) state.host.kill(signal);
  return {};
}

ShellResult set(ShellState& state, const Words& words, const std::string&) {
  for (std::size_t index = 1; index < words.size(); ++index) {
    std::size_t equals = words[index].find('=');
    if (equals != std::string::npos) state.variables[words[index].substr(0, equals)] = words[index].substr(equals + 1);
  }
  return {};
}

ShellResult identity(ShellState&, const Words& words, const std::string&) {
  return {0, words.size() > 1 ? "0\n" : "uid=0(root) gid=0(root) groups=0(root)\n", ""};
}
ShellResult count(ShellState&, const Words&, const std::string& input) { return {0, std::to_string(input.size()) + "\n", ""}; }
ShellResult succeed(ShellState&, const Words&, const std::string&) { return {}; }
ShellResult fail(ShellState&, const Words&, const std::string&) { return {1, "", ""}; }
ShellResult leave(ShellState& state, const Words& words, const std::string&) {
  state.exited = true;
  return {words.size() > 1 ? toNumber(words[1], 2) : state.lastExitCode, "", ""};
}
ShellResult folder(ShellState&, const Words&, const std::string&) { return {0, "/\n", ""}; }
ShellResult user(ShellState&, const Words&, const std::string&) { return {0, "root\n", ""}; }
ShellResult hostName(ShellState& state, const Words&, const std::string&) { return {0, state.host.guest->plan.machineId + "\n", ""}; }

const std::map<std::string, Command, std::less<>>& commands() {
  static const std::map<std::string, Command, std::less<>> kCommands = {
      {"echo", echo},     {"cat", cat},       {"tee", tee},         {"env", environment},   {"printenv", environment},
      {"rm", remove},     {"touch", touch},   {"ls", list},         {"test", test},         {"[", test},
      {"dd", copyBlocks}, {"trap", trap},     {"kill", sendSignal}, {"export", set},        {"set", succeed},
      {"id", identity},   {"wc", count},      {"true", succeed},    {":", succeed},         {"false", fail},
      {"exit", leave},    {"pwd", folder},    {"whoami", user},     {"hostname", hostName}, {"mkdir", succeed},
      {"chmod", succeed}, {"chown", succeed}, {"sync", succeed},    {"cd", succeed}};
  return kCommands;
}

}  // namespace

bool readFile(ShellState& state, const std::string& path, std::string& content) {
  if (path == "/dev/null") {
    content.clear();
    return true;
  }
  auto [files, name] = state.host.guest->locate(absolute(path));
  auto found = files->find(name);
  if (found == files->end()) return false;
  content = found->second;
  return true;
}

void writeFile(ShellState& state, const std::string& path, const std::string& content, WriteMode mode) {
  if (path == "/dev/null") return;
  auto [files, name] = state.host.guest->locate(absolute(path));
  std::string& file = (*files)[name];
  if (mode == WriteMode::Replace)
    file = content;
  else
    file += content;
}

awaitable<void> sleepInGuest(ShellState& state, std::optional<std::chrono::milliseconds> duration) {
  GuestPtr guest = state.host.guest;
  std::uint64_t generation = guest->generation;
  Deadline end = duration ? Deadline::after(*duration) : Deadline::never();
  Deadline first = end.time() < state.host.deadline.time() ? end : state.host.deadline;
  while (guest->generation == generation) {
    if (state.host.deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command timed out.");
    // The time of a suspended Machine stands still.
    if (end.hasPassed() && !guest->suspended) co_return;
    co_await guest->changed.wait(end.hasPassed() ? Deadline::never() : first);
  }
  throw Error(ErrorCode::Cancelled, "The Machine has ended.");
}

awaitable<std::optional<ShellResult>> runBuiltin(ShellState& state, Words words, std::string input) {
  if (words.front() == "sleep") {
    std::optional<std::chrono::milliseconds> duration;
    if (words.size() > 1 && !words[1].starts_with("inf")) duration = parseGoDuration(words[1]).value_or(std::chrono::milliseconds(0));
    co_await sleepInGuest(state, duration);
    co_return ShellResult{};
  }
  auto found = commands().find(words.front());
  if (found == commands().end()) co_return std::nullopt;
  co_return found->second(state, words, input);
}

}  // namespace swarm::emulator
