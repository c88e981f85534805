// Completion scripts, made from the tree of verbs.
#pragma once

#include <string>
#include <vector>

namespace swarm::cli {

struct CompletionFlag {
  std::vector<std::string> names;       ///< long, without "--"
  std::vector<std::string> shortNames;  ///< without "-"
  std::string about;
  bool hasValue = false;
};

/// A verb, or a part of one; the root is `swarm` itself.
struct CompletionNode {
  std::string name;
  std::string about;
  std::vector<std::string> aliases;
  std::vector<CompletionFlag> flags;
  std::vector<std::string> words;  ///< what its positional arguments are called, in order
  std::vector<CompletionNode> below;
};

/// `shell`: bash, zsh or fish. Names of workspaces and the like are asked of the server with a short timeout.
std::string completionScript(const std::string& shell, const CompletionNode& root);

}  // namespace swarm::cli
