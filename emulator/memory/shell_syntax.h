// The shell's grammar: a script as lists of pipelines. Internal to memory/.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator {

struct Redirection {
  int descriptor = 1;  ///< 0, 1 or 2
  bool append = false;
  bool toOther = false;  ///< 2>&1, >&2
  std::string target;    ///< raw word
};

struct SimpleCommand {
  std::vector<std::string> words;  ///< raw: with quotes and $
  std::vector<Redirection> redirections;
};

enum class Joint { Always, AndThen, OrElse };  ///< ";", "&&", "||" before the pipeline

struct Pipeline {
  Joint joint = Joint::Always;
  bool inBackground = false;
  std::vector<SimpleCommand> commands;
};

/// The executable part of a script. Incomplete: a loop, a condition or a group follows.
struct Script {
  std::vector<Pipeline> pipelines;
  bool complete = true;
};
Script parseScript(std::string_view script);

/// Removes quotes and substitutes variables: `$?`, `$NAME`, `${NAME}`, `$$`.
std::string expandWord(std::string_view raw, const std::map<std::string, std::string>& variables, int last_exit_code);

}  // namespace swarm::emulator
