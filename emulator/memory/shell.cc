// Splits a script into commands and expands their words, then runs one after the other.
#include "emulator/memory/guest.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/error.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

/// What a script changes while it runs.
struct Run {
  ShellHost host;
  Variables variables;
  int lastExitCode = 0;
  bool exited = false;
};

/// Output that goes to a file, or to the other output.
struct Redirection {
  bool ofErrors = false;
  bool appends = false;
  std::string file;  ///< empty: stderr
};

struct Command {
  Words words = {};
  std::vector<Redirection> redirections = {};
  bool afterSuccess = false;  ///< behind "&&"
  bool inBackground = false;
};

/// The executable part of a script. Incomplete: something unsupported follows, such as a loop, a condition, a group or a pipe.
struct Script {
  std::vector<Command> commands;
  bool complete = true;
};

std::string takeVariable(std::string_view& rest, const Variables& variables) {
  std::size_t length = 0;
  while (length < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[length])) != 0 || rest[length] == '_')) ++length;
  const auto found = variables.find(std::string(rest.substr(0, length)));
  rest.remove_prefix(length);
  return found == variables.end() ? "" : found->second;
}

/// The word at the start of `rest`, without its quotes, and with the values of its variables.
std::string takeWord(std::string_view& rest, const Variables& variables) {
  constexpr std::string_view kEnds = " \t\n;&|<>()";
  std::string word;
  char quote = 0;
  while (!rest.empty() && (quote != 0 || !kEnds.contains(rest.front()))) {
    const char letter = rest.front();
    rest.remove_prefix(1);
    if (letter == quote)
      quote = 0;
    else if (quote == 0 && (letter == '\'' || letter == '"'))
      quote = letter;
    else if (letter == '$' && quote != '\'')
      word += takeVariable(rest, variables);
    else
      word += letter;
  }
  return word;
}

void skipWhiteSpace(std::string_view& rest) { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); }

std::string_view takeOperator(std::string_view& rest) {
  for (std::string_view known : {"&&", ">>", ">&2", "2>&1", "2>", ";", "\n", "&", "|", "<", ">", "(", ")"}) {
    if (!rest.starts_with(known)) continue;
    rest.remove_prefix(known.size());
    return known;
  }
  return {};
}

Script parse(std::string_view rest, const Variables& variables) {
  constexpr std::string_view kUnsupportedWords[] = {"while", "until", "for", "if", "case", "{"};
  Script script;
  Command command;
  for (skipWhiteSpace(rest); !rest.empty(); skipWhiteSpace(rest)) {
    const std::string_view found = takeOperator(rest);
    if (found == ">" || found == ">>" || found == "2>" || found == ">&2") {
      skipWhiteSpace(rest);
      command.redirections.push_back({found == "2>", found == ">>", found == ">&2" ? "" : takeWord(rest, variables)});
    } else if (found == ";" || found == "\n" || found == "&" || found == "&&") {
      command.inBackground = found == "&";
      if (!command.words.empty()) script.commands.push_back(std::move(command));
      command = {.afterSuccess = found == "&&"};
    } else if (!found.empty()) {
      script.complete = false;
      return script;
    } else {
      command.words.push_back(takeWord(rest, variables));
      if (command.words.size() > 1 || std::ranges::find(kUnsupportedWords, command.words[0]) == std::end(kUnsupportedWords)) continue;
      script.complete = false;
      return script;
    }
  }
  if (!command.words.empty()) script.commands.push_back(std::move(command));
  return script;
}

std::string* findFile(Run& run, const std::string& path) {
  auto [files, name] = run.host.guest->locate(path);
  auto found = files->find(name);
  return found == files->end() ? nullptr : &found->second;
}

void writeFile(Run& run, const std::string& path, const std::string& text, bool append = false) {
  if (path == "/dev/null") return;
  auto [files, name] = run.host.guest->locate(path);
  std::string& content = (*files)[name];
  content = (append ? content : "") + text;
}

void redirect(Run& run, const Command& command, ShellResult& result) {
  for (const Redirection& redirection : command.redirections) {
    std::string text = std::exchange(redirection.ofErrors ? result.err : result.out, "");
    if (redirection.file.empty())
      result.err += text;
    else
      writeFile(run, redirection.file, text, redirection.appends);
  }
}

int numberOf(const std::string& text) { return std::atoi(text.c_str()); }

ShellResult echo(const Words& words) {
  std::string text;
  for (std::size_t index = 1; index < words.size(); ++index) text += (index > 1 ? " " : "") + words[index];
  return {0, text + "\n", ""};
}

ShellResult cat(Run& run, const Words& words, const std::string& input) {
  if (words.size() < 2) return {0, input, ""};
  if (const std::string* content = findFile(run, words[1])) return {0, *content, ""};
  return {1, "", "cat: can't open '" + words[1] + "': No such file or directory\n"};
}

ShellResult environment(const Run& run, const Words& words) {
  std::string text;
  for (const auto& [name, value] : run.variables) {
    if (words.size() == 1) text += name + "=" + value + "\n";
    if (words.size() > 1 && words[1] == name) return {0, value + "\n", ""};
  }
  return {words.size() == 1 ? 0 : 1, text, ""};
}

/// dd if=/dev/zero bs=N count=N
ShellResult zeros(const Words& words) {
  constexpr int kMaxBlock = 1024 * 1024, kMaxCount = 64;
  int block = 512, count = 1;
  for (const std::string& word : words) {
    if (word.starts_with("bs=")) block = std::clamp(numberOf(word.substr(3)), 0, kMaxBlock);
    if (word.starts_with("count=")) count = std::clamp(numberOf(word.substr(6)), 0, kMaxCount);
  }
  return {0, std::string(static_cast<std::size_t>(block * count), '\0'), ""};
}

ShellResult trap(Run& run, const Words& words) {
  for (std::size_t index = 2; run.host.isMain && index < words.size(); ++index) {
    if (int number = signalNumber(words[index])) run.host.guest->traps[std::to_string(number)] = words[1];
  }
  return {};
}

/// Nothing: an unknown command.
std::optional<ShellResult> runBuiltin(Run& run, const Words& words, const std::string& input) {
  const std::string& name = words[0];
  if (name == "echo") return echo(words);
  if (name == "cat") return cat(run, words, input);
  if (name == "env" || name == "printenv") return environment(run, words);
  if (name == "dd") return zeros(words);
  if (name == "trap") return trap(run, words);
  if (name == "pwd") return ShellResult{0, "/\n", ""};
  if (name == "id") return ShellResult{0, "0\n", ""};
  if (name == "true" || name == ":") return ShellResult{};
  if (name == "false") return ShellResult{1, "", ""};
  if (name == "tee" && words.size() > 1) {
    writeFile(run, words[1], input);
    return ShellResult{0, input, ""};
  }
  if (name == "exit") {
    run.exited = true;
    return ShellResult{words.size() > 1 ? numberOf(words[1]) : run.lastExitCode, "", ""};
  }
  return std::nullopt;
}

/// Without a duration: until the Machine ends, or the deadline. Throws as runCommand() does.
awaitable<void> sleepInGuest(const ShellHost& host, std::optional<std::chrono::milliseconds> duration) {
  GuestPtr guest = host.guest;
  std::uint64_t generation = guest->generation;
  Deadline end = duration ? Deadline::after(*duration) : Deadline::never();
  Deadline first = end.time() < host.deadline.time() ? end : host.deadline;
  while (guest->generation == generation) {
    if (host.deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command timed out.");
    // The time of a suspended Machine stands still.
    if (end.hasPassed() && !guest->suspended) co_return;
    co_await waitFor(guest->changed, end.hasPassed() ? Deadline::never() : first);
  }
  throw Error(ErrorCode::Cancelled, "The Machine has ended.");
}

awaitable<ShellResult> runProgram(Run& run, Words words, std::string input);

awaitable<ShellResult> runScript(Run& run, std::string text, std::string input) {
  Script script = parse(text, run.variables);
  ShellResult total;
  for (Command& command : script.commands) {
    if (command.inBackground || (command.afterSuccess && run.lastExitCode != 0)) continue;
    ShellResult result = co_await runProgram(run, command.words, std::exchange(input, ""));
    redirect(run, command, result);
    run.lastExitCode = result.exitCode;
    total.out += result.out;
    total.err += result.err;
    if (run.exited) break;
  }
  if (!script.complete && !run.exited) {
    // As a main process, a loop keeps a Machine alive; elsewhere it would only reach the time limit.
    if (run.host.isMain) co_await sleepInGuest(run.host, std::nullopt);
    total.err += "sh: the emulator's shell has no loops, conditions, groups and pipes\n";
    run.lastExitCode = 2;
  }
  total.exitCode = run.lastExitCode;
  co_return total;
}

awaitable<ShellResult> runProgram(Run& run, Words words, std::string input) {
  words[0].erase(0, words[0].rfind('/') + 1);
  if (words[0] == "sh" && words.size() >= 3 && words[1] == "-c") {
    Run inner{.host = run.host, .variables = run.variables};
    co_return co_await runScript(inner, words[2], std::move(input));
  }
  if (words[0] == "sleep" && words.size() > 1) {
    co_await sleepInGuest(run.host, parseGoDuration(words[1]));  // "infinity" is not a duration
    co_return ShellResult{};
  }
  if (auto result = runBuiltin(run, words, input)) co_return *result;
  if (run.host.isMain) co_await sleepInGuest(run.host, std::nullopt);
  co_return ShellResult{127, "", "sh: " + words[0] + ": not found\n"};
}

}  // namespace

awaitable<ShellResult> runCommand(ShellHost host, Words command, std::string input) {
  Run run{.host = std::move(host), .variables = {}};
  run.variables = run.host.guest->plan.env;
  if (command.empty()) co_return ShellResult{127, "", "sh: a command is missing\n"};
  co_return co_await runProgram(run, std::move(command), std::move(input));
}

}  // namespace swarm::emulator
