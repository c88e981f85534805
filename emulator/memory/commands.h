// Shared by the shell's parts: a run's state, files, and the commands. Internal to memory/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulator/memory/shell.h"

namespace swarm::emulator {

struct ShellState {
  ShellHost host;
  std::map<std::string, std::string> variables = {};
  int lastExitCode = 0;
  bool exited = false;
};

enum class WriteMode { Replace, Append };
bool readFile(ShellState& state, const std::string& path, std::string& content);
void writeFile(ShellState& state, const std::string& path, const std::string& content, WriteMode mode);

/// Empty duration: until the Machine ends, or the deadline. Throws as runCommand() does.
awaitable<void> sleepInGuest(ShellState& state, std::optional<std::chrono::milliseconds> duration);

awaitable<ShellResult> runScript(ShellState& state, std::string script, std::string input);
awaitable<ShellResult> runProgram(ShellState& state, std::vector<std::string> words, std::string input);
/// Empty: unknown command.
awaitable<std::optional<ShellResult>> runBuiltin(ShellState& state, std::vector<std::string> words, std::string input);

}  // namespace swarm::emulator
