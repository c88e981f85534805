// CommandLine: parses the words of one command line by the declarations of the verbs, and runs the chosen verb. CLI11 is named only here
// and in arguments.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "cli/completion.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {

class CommandLine {
 public:
  explicit CommandLine(const std::function<int(const ServeFlags&)>& serve);
  int run(int argc, char** argv);

  /// All verbs with their parts and arguments.
  CompletionNode tree() const;

 private:
  /// A verb and its arguments.
  struct Node {
    VerbPtr verb;
    CLI::App* app;
    Arguments arguments;
  };

  void add(VerbPtr verb);
  Node* parse(std::vector<std::string> words);
  Node* chosen();
  void assignCommand(Node& node) const;
  int runVerb(Node& node);
  int wrongUse(const std::string& why) const;
  std::string unknownVerb(const std::string& word) const;
  std::string helpText(const std::vector<std::string>& words);
  CompletionNode treeOf(const CLI::App& app) const;
  const Values& valuesOf(const CLI::Option* option) const;

  CLI::App app_{"VS Code workspaces, wherever you want them to run", "swarm"};
  CommonOptions common_;
  std::deque<Node> nodes_;
  std::vector<std::string> command_;  ///< the words behind "--"
  Program program_;
};

/// The word of `words` that is most similar to `word`; empty when none is similar.
std::string nearestWord(std::string_view word, const std::vector<std::string>& words);

}  // namespace swarm::cli
