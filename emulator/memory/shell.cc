// Runs scripts; the commands themselves are in commands.cc.
#include "emulator/memory/shell.h"

#include "base/error.h"
#include "emulator/memory/commands.h"
#include "emulator/memory/shell_syntax.h"

namespace swarm::emulator {
namespace {

std::string withoutPath(const std::string& program) { return program.substr(program.rfind('/') + 1); }

/// "NAME=value" before a command, or alone.
bool isAssignment(const std::string& word) {
  std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0 &&
         word.substr(0, equals).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

/// Reads `<` into input. False: the file does not exist.
bool readRedirected(ShellState& state, const SimpleCommand& command, std::string& input, ShellResult& result) {
  for (const Redirection& redirection : command.redirections) {
    if (redirection.descriptor != 0) continue;
    std::string path = expandWord(redirection.target, state.variables, state.lastExitCode);
    if (!readFile(state, path, input)) {
      result = {1, "", "sh: can't open " + path + ": no such file\n"};
      return false;
    }
  }
  return true;
}

/// Writes the output to the targets of the redirections.
void writeRedirected(ShellState& state, const SimpleCommand& command, ShellResult& result) {
  for (const Redirection& redirection : command.redirections) {
    if (redirection.descriptor == 0) continue;
    std::string& text = redirection.descriptor == 1 ? result.out : result.err;
    if (redirection.toOther) {
      (redirection.target == "1" ? result.out : result.err) += text;
    } else {
      std::string path = expandWord(redirection.target, state.variables, state.lastExitCode);
      writeFile(state, path, text, redirection.append ? WriteMode::Append : WriteMode::Replace);
    }
    text.clear();
  }
}

awaitable<ShellResult> runSimple(ShellState& state, SimpleCommand command, std::string input) {
  std::vector<std::string> words;
  for (const std::string& raw : command.words) {
    if (words.empty() && isAssignment(raw)) {
      std::size_t equals = raw.find('=');
      state.variables[raw.substr(0, equals)] = expandWord(raw.substr(equals + 1), state.variables, state.lastExitCode);
      continue;
    }
    words.push_back(expandWord(raw, state.variables, state.lastExitCode));
  }
  ShellResult result;
  if (!readRedirected(state, command, input, result)) co_return result;
  if (!words.empty()) result = co_await runProgram(state, std::move(words), std::move(input));
  writeRedirected(state, command, result);
  co_return result;
}

awaitable<ShellResult> runPipeline(ShellState& state, Pipeline pipeline, std::string input) {
  ShellResult result;
  for (SimpleCommand& command : pipeline.commands) {
    std::string errors = std::move(result.err);
    result = co_await runSimple(state, std::move(command), std::move(input));
    result.err = errors + result.err;
    input = result.out;
    if (state.exited) break;
  }
  co_return result;
}

}  // namespace

awaitable<ShellResult> runScript(ShellState& state, std::string script, std::string input) {
  Script parsed = parseScript(script);
  ShellResult total;
  for (Pipeline& pipeline : parsed.pipelines) {
    if (pipeline.joint == Joint::AndThen && state.lastExitCode != 0) continue;
    if (pipeline.joint == Joint::OrElse && state.lastExitCode == 0) continue;
    if (pipeline.inBackground) continue;  // its result is ignored
    ShellResult result = co_await runPipeline(state, std::move(pipeline), std::exchange(input, ""));
    state.lastExitCode = result.exitCode;
    total.out += result.out;
    total.err += result.err;
    if (state.exited) break;
  }
  if (!parsed.complete && !state.exited) {
    // Loops and conditions: as a main process they keep a Machine alive; elsewhere they would only reach the time limit.
    if (state.host.isMain) co_await sleepInGuest(state, std::nullopt);
    total.err += "sh: the emulator's shell has no loops, conditions and groups\n";
    state.lastExitCode = 2;
  }
  total.exitCode = state.lastExitCode;
  co_return total;
}

awaitable<ShellResult> runProgram(ShellState& state, std::vector<std::string> words, std::string input) {
  std::string program = withoutPath(words.front());
  if ((program == "sh" || program == "bash" || program == "ash") && words.size() >= 3 && words[1].ends_with('c')) {
    ShellState inner{.host = state.host, .variables = state.variables};
    co_return co_await runScript(inner, words[2], std::move(input));
  }
  words.front() = program;
  if (program == "exec" && words.size() > 1) {
    words.erase(words.begin());
    ShellResult result = co_await runProgram(state, std::move(words), std::move(input));
    state.exited = true;
    co_return result;
  }
  if (auto result = co_await runBuiltin(state, words, std::move(input))) co_return *result;
  if (state.host.isMain) co_await sleepInGuest(state, std::nullopt);
  co_return ShellResult{127, "", "sh: " + program + ": not found\n"};
}

awaitable<ShellResult> runCommand(ShellHost host, std::vector<std::string> command, std::string input) {
  ShellState state{.host = std::move(host)};
  state.variables = state.host.guest->plan.env;
  state.variables.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (command.empty()) {
    co_await sleepInGuest(state, std::nullopt);
    co_return ShellResult{};
  }
  co_return co_await runProgram(state, std::move(command), std::move(input));
}

}  // namespace swarm::emulator
