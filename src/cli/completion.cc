// One walk over the tree for each shell. zsh runs the script of bash.
#include "cli/completion.h"

#include <set>

#include "base/text/format.h"
#include "cli/output/output.h"

namespace swarm::cli {
namespace {

/// The path of a part of the node at `path`, by its name and by its aliases.
std::vector<std::string> pathsOf(const std::string& path, const CompletionNode& part) {
  std::vector<std::string> paths{path + "/" + part.name};
  for (const std::string& alias : part.aliases) paths.push_back(path + "/" + alias);
  return paths;
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

/// compgen expands its words as the shell does: a value from the server that contained $(…) would be executed.
constexpr std::string_view kBashValues = R"sh(_swarm_values() {
  timeout 2 "$@" 2>/dev/null | LC_ALL=C grep -E '^[A-Za-z0-9_][A-Za-z0-9_.:@/+-]*$'
}
)sh";

/// A statement that offers `values`.
std::string bashReply(const Values& values) {
  if (values.empty()) return ":";
  if (values.files) return "COMPREPLY=($(compgen -f -- \"$current\"))";
  const std::string words = values.command.empty() ? joined(values.words, " ") : format("$(_swarm_values {})", values.command);
  return format("COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))", words);
}

/// A statement that offers the values of the word at the cursor: `words` others stand before it.
std::string bashWords(const CompletionNode& node) {
  if (!node.below.empty()) return bashReply({.words = namesBelow(node)});
  std::string cases;
  for (std::size_t i = 0; i < node.words.size(); ++i)
    cases += format("{}) {} ;; ", node.words[i].repeats ? "*" : std::to_string(i), bashReply(node.words[i].values));
  return cases.empty() ? ":" : format("case $words in {}esac", cases);
}

/// "/create --env" and "/create -e", as patterns of `case`.
std::string bashPatterns(const std::string& path, const CompletionFlag& flag) {
  std::vector<std::string> patterns;
  for (const std::string& name : flag.names) patterns.push_back(format("\"{} --{}\"", path, name));
  for (const std::string& name : flag.shortNames) patterns.push_back(format("\"{} -{}\"", path, name));
  return joined(patterns, "|");
}

std::string bashScript(const CompletionNode& root) {
  std::string steps, values, verbs;
  std::vector<std::string> with_value;
  visitAll(root, "", [&](const CompletionNode& node, const std::string& path) {
    for (const CompletionNode& one : node.below)
      steps += format("      {}) path={}/{} words=0 ;;\n", joined(pathsOf(path, one), "|"), path, one.name);
    std::vector<std::string> flags;
    for (const CompletionFlag& flag : node.flags) {
      for (const std::string& name : flag.names) flags.push_back("--" + name);
      if (!flag.hasValue) continue;
      with_value.push_back(bashPatterns(path, flag));
      values += format("    {}) {}; return ;;\n", with_value.back(), bashReply(flag.values));
    }
    verbs +=
        format("    \"{}\") if [[ \"$current\" == -* ]]; then {}; else {}; fi ;;\n", path, bashReply({.words = flags}), bashWords(node));
  });
  return std::string(kBashValues) +
         format(
             "_swarm() {{\n  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\" path= words=0 i\n"
             "  COMPREPLY=()\n"
             "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$path/${{COMP_WORDS[i]}}\" in\n{}"
             "      */-*) case \"$path ${{COMP_WORDS[i]}}\" in {}) i=$((i + 1)) ;; esac ;;\n"
             "      *) words=$((words + 1)) ;;\n    esac\n  done\n"
             "  case \"$path $previous\" in\n{}  esac\n  case \"$path\" in\n{}  esac\n}}\ncomplete -F _swarm swarm\n",
             steps, joined(with_value, "|"), values, verbs);
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fishValues(const Values& values) {
  if (values.files) return " -F";
  if (values.empty()) return "";
  return " -a " + quoted(values.command.empty() ? joined(values.words, " ") : format("(timeout 2 {} 2>/dev/null)", values.command));
}

std::string fishScript(const CompletionNode& root) {
  std::string steps, lines;
  visitAll(root, "", [&](const CompletionNode& node, const std::string& path) {
    const std::string here = format("complete -c swarm -n '__swarm_at \"{}\"'", path);
    for (const CompletionNode& one : node.below) {
      steps += format("      case {}\n        set path {}/{}\n", joined(pathsOf(path, one), " "), path, one.name);
      lines += format("{} -a {} -d {}\n", here, one.name, quoted(one.about));
    }
    for (const CompletionFlag& flag : node.flags) {
      if (flag.names.empty()) continue;
      std::string names;
      for (const std::string& name : flag.names) names += " -l " + name;
      for (const std::string& name : flag.shortNames) names += " -s " + name;
      lines += format("{}{}{} -d {}\n", here, names, flag.hasValue ? (flag.values.files ? " -r" : " -x") + fishValues(flag.values) : "",
                      quoted(flag.about));
    }
    std::set<std::string> offered;
    for (const CompletionWord& word : node.words) {
      const std::string values = fishValues(word.values);
      if (!values.empty() && offered.insert(values).second) lines += here + values + "\n";
    }
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
