// Completion scripts, generated from the tree of verbs.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"

namespace swarm::cli {

struct CompletionFlag {
  std::vector<std::string> names;       ///< long, without "--"
  std::vector<std::string> shortNames;  ///< without "-"
  std::string about;
  bool hasValue = false;  ///< as its own word; the value of --keep-source is written behind "="
  Values values;
};

struct CompletionWord {
  std::string name;
  Values values;
  bool repeats = false;
};

/// A verb, or a part of one; the root is `swarm`.
struct CompletionNode {
  std::string name;
  std::string about;
  std::vector<std::string> aliases;
  std::vector<CompletionFlag> flags;
  std::vector<CompletionWord> words;  ///< its positional arguments, in order
  std::vector<CompletionNode> below;
};

/// The tree of this program.
CompletionNode commandTree();

/// `shell`: bash, zsh or fish. Names of workspaces and other objects are requested from the server with a short timeout.
std::string completionScript(const std::string& shell, const CompletionNode& root);

}  // namespace swarm::cli
