// One walk over the tree for each shell. zsh runs the script of bash, which it can.
#include "cli/completion.h"

#include <algorithm>
#include <array>

#include "base/text/format.h"

namespace swarm::cli {
namespace {

/// Where possible values come from: words, "files", or a command that prints names.
struct Values {
  std::string words;
  std::string command;
  bool files = false;
  bool empty() const { return words.empty() && command.empty() && !files; }
};

Values ofWorkspaces() { return {{}, "swarm list -o name", false}; }

Values sourceOfFlag(const std::string& path, const std::string& flag) {
  if (flag == "provider" || flag == "to") return {"docker flyio", {}, false};
  if (flag == "output" && path != "/export") return {"table json yaml name", {}, false};
  if (flag == "region") return {{}, "swarm providers regions -o name", false};
  if (flag == "status") return {"creating running stopping stopped failed deleting migrating", {}, false};
  if (flag == "log-level") return {"debug info warning error", {}, false};
  if (flag == "log-style") return {"text json", {}, false};
  if (flag == "instance") return ofWorkspaces();
  for (const char* file : {"config", "ca", "data-dir", "output", "setup", "data"}) {
    if (flag == file) return {{}, {}, true};
  }
  return {};
}

Values sourceOfWord(const std::string& path, const std::string& word) {
  if (path == "/volumes/delete") return {{}, "swarm volumes -o name", false};
  if (path == "/snapshot/delete" || word == "snapshot") return {{}, "swarm snapshot list -o name", false};
  if (word == "name" || word == "names" || word == "instance") return path == "/create" ? Values{} : ofWorkspaces();
  if (word == "file") return {{}, {}, true};
  if (word == "id") return {{}, "swarm operations -o name", false};
  if (word == "type") return {{}, "swarm providers -o name", false};
  if (word == "shell") return {"bash zsh fish", {}, false};
  if (word == "method") return {"GET POST PUT PATCH DELETE", {}, false};
  return {};
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

std::vector<std::string> namesOf(const CompletionNode& node) {
  std::vector<std::string> names{node.name};
  names.insert(names.end(), node.aliases.begin(), node.aliases.end());
  return names;
}

std::vector<std::string> namesBelow(const CompletionNode& node) {
  std::vector<std::string> names;
  for (const CompletionNode& one : node.below) names.push_back(one.name);
  return names;
}

template <typename Visit>
void visitAll(const CompletionNode& node, const std::string& path, const Visit& visit) {
  visit(node, path);
  for (const CompletionNode& one : node.below) visitAll(one, path + "/" + one.name, visit);
}

std::string bashReply(const Values& source) {
  if (source.files) return "COMPREPLY=($(compgen -f -- \"$current\"))";
  const std::string words = source.command.empty() ? source.words : format("$(timeout 2 {} 2>/dev/null)", source.command);
  return format("COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))", words);
}

std::string bashScript(const CompletionNode& root) {
  std::string steps, values, verbs;
  visitAll(root, "", [&](const CompletionNode& node, const std::string& path) {
    for (const CompletionNode& one : node.below) {
      std::vector<std::string> patterns;
      for (const std::string& name : namesOf(one)) patterns.push_back(path + "/" + name);
      steps += format("      {}) path={}/{} ;;\n", joined(patterns, "|"), path, one.name);
    }
    std::vector<std::string> flags;
    for (const CompletionFlag& flag : node.flags) {
      for (const std::string& name : flag.names) flags.push_back("--" + name);
      if (!flag.hasValue || flag.names.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : flag.names) patterns.push_back(format("\"{} --{}\"", path, name));
      for (const std::string& name : flag.shortNames) patterns.push_back(format("\"{} -{}\"", path, name));
      const Values source = sourceOfFlag(path, flag.names.front());
      values += format("    {}) {}; return ;;\n", joined(patterns, "|"), source.empty() ? "COMPREPLY=()" : bashReply(source));
    }
    Values source{joined(namesBelow(node), " "), {}, false};
    if (node.below.empty() && !node.words.empty()) source = sourceOfWord(path, node.words.front());
    verbs += format("    \"{}\") if [[ \"$current\" == -* ]]; then COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); else {}; fi ;;\n",
                    path, joined(flags, " "), source.empty() ? "COMPREPLY=()" : bashReply(source));
  });
  return format(
      "_swarm() {{\n  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\" path= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$path/${{COMP_WORDS[i]}}\" in\n{}    esac\n  done\n"
      "  case \"$path $previous\" in\n{}  esac\n  case \"$path\" in\n{}  esac\n}}\ncomplete -F _swarm swarm\n",
      steps, values, verbs);
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fishValues(const Values& source) {
  if (source.files) return " -F";
  if (source.empty()) return "";
  return " -a " + quoted(source.command.empty() ? source.words : format("(timeout 2 {} 2>/dev/null)", source.command));
}

std::string fishScript(const CompletionNode& root) {
  std::string steps, lines;
  visitAll(root, "", [&](const CompletionNode& node, const std::string& path) {
    const std::string here = format("complete -c swarm -n '__swarm_at \"{}\"'", path);
    for (const CompletionNode& one : node.below) {
      std::vector<std::string> patterns;
      for (const std::string& name : namesOf(one)) patterns.push_back(path + "/" + name);
      steps += format("      case {}\n        set path {}/{}\n", joined(patterns, " "), path, one.name);
      lines += format("{} -a {} -d {}\n", here, one.name, quoted(one.about));
    }
    for (const CompletionFlag& flag : node.flags) {
      if (flag.names.empty()) continue;
      std::string names;
      for (const std::string& name : flag.names) names += " -l " + name;
      for (const std::string& name : flag.shortNames) names += " -s " + name;
      const Values source = sourceOfFlag(path, flag.names.front());
      lines += format("{}{}{} -d {}\n", here, names, flag.hasValue ? (source.files ? " -r" : " -x") + fishValues(source) : "",
                      quoted(flag.about));
    }
    if (!node.below.empty() || node.words.empty()) return;
    if (const std::string values = fishValues(sourceOfWord(path, node.words.front())); !values.empty()) lines += here + values + "\n";
  });
  return format(
      "function __swarm_at\n  set -l path ''\n  for word in (commandline -opc)[2..-1]\n    switch \"$path/$word\"\n{}    end\n  end\n"
      "  test \"$path\" = \"$argv[1]\"\nend\ncomplete -c swarm -f\n{}",
      steps, lines);
}

}  // namespace

std::string completionScript(const std::string& shell, const CompletionNode& root) {
  if (shell == "fish") return fishScript(root);
  if (shell == "zsh") return "#compdef swarm\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(root);
  return bashScript(root);
}

}  // namespace swarm::cli
