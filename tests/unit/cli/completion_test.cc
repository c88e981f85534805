// Completion scripts: the tree of verbs is walked, so that a script cannot lack one of them, nor one of their flags.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "api_double.h"
#include "cli/completion.h"
#include "cli/output/table.h"
#include "support/temp_dir.h"

namespace swarm::cli::testing {
namespace {

constexpr std::string_view kPrintsArguments = "echo \"$*\" | tr ' ' '_'";

/// Runs the script of bash, and returns what it offers for the last word of each line. `swarm` is what the command does.
std::vector<std::string> offers(const std::vector<std::string>& lines, std::string_view swarm = kPrintsArguments) {
  const test::TempDir folder;
  std::ofstream file(folder.path() / "script");
  file << "swarm() { " << swarm << "; }; timeout() { shift; \"$@\"; }\n" << completionScript("bash", commandTree());
  for (const std::string& line : lines)
    file << "COMP_WORDS=(" << line << "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _swarm; echo \"${COMPREPLY[@]}\"\n";
  file.close();
  FILE* pipe = ::popen(("bash " + (folder.path() / "script").string() + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> piece{};
  for (std::size_t length; (length = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) text.append(piece.data(), length);
  EXPECT_EQ(::pclose(pipe), 0) << text;
  std::vector<std::string> found;
  std::istringstream rows(text);
  for (std::string row; std::getline(rows, row);) found.push_back(row);
  EXPECT_EQ(found.size(), lines.size()) << text;
  found.resize(lines.size());
  return found;
}

std::string offered(const std::string& line) { return offers({line}).front(); }

void walk(const CompletionNode& node, const std::string& path,
          const std::function<void(const CompletionNode&, const std::string&)>& visit) {
  visit(node, path);
  for (const CompletionNode& below : node.below) walk(below, path + " " + below.name, visit);
}

TEST(CompletionTree, hasEveryVerbAndFlagThatTheHelpLists) {
  const CompletionNode root = commandTree();
  const ApiDouble api;
  std::size_t verbs = 0, parts = 0;
  walk(root, "", [&](const CompletionNode& node, const std::string& path) {
    std::vector<std::string> words{"help"};
    std::istringstream names(path);
    for (std::string name; names >> name;) words.push_back(name);
    const std::string help = runCommand(api, words).out;
    EXPECT_NE(help.find("Example"), path.empty() ? 0 : std::string::npos) << path << " has no example";
    std::istringstream all(help);
    for (std::string line; std::getline(all, line);) EXPECT_LE(displayWidth(line), 80u) << path << ": " << line;
    for (const CompletionFlag& flag : node.flags) EXPECT_NE(help.find("--" + flag.names.front()), std::string::npos) << path;
    for (const CompletionNode& below : node.below) EXPECT_NE(help.find("\n  " + below.name), std::string::npos) << path << below.name;
    // And the other way round: each flag in the help is in the tree.
    std::istringstream lines(help.substr(0, help.find("\nExample")));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find("--");
      if (at == std::string::npos || at > 8) continue;
      const std::string name = line.substr(at + 2, line.find_first_of(" ,[", at) - at - 2);
      EXPECT_TRUE(std::ranges::any_of(node.flags,
                                      [&](const CompletionFlag& flag) { return std::ranges::find(flag.names, name) != flag.names.end(); }))
          << path << ": --" << name;
    }
    (words.size() > 2 ? parts : verbs) += 1;
  });
  EXPECT_GT(verbs, 30u);
  EXPECT_GE(parts, 13u) << "of snapshot, volumes, names, operations, providers and sessions";
}

TEST(BashCompletion, offersEveryPartAndFlagOfEveryVerb) {
  std::vector<std::string> lines, wanted;
  walk(commandTree(), "", [&](const CompletionNode& node, const std::string& path) {
    for (const CompletionNode& below : node.below) {
      lines.push_back("swarm" + path + " " + below.name);
      wanted.push_back(below.name);
    }
    for (const CompletionFlag& flag : node.flags) {
      lines.push_back("swarm" + path + " --" + flag.names.front());
      wanted.push_back("--" + flag.names.front());
    }
  });
  const std::vector<std::string> found = offers(lines);
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_TRUE((" " + found[i] + " ").find(" " + wanted[i] + " ") != std::string::npos) << lines[i] << ": " << found[i];
}

TEST(BashCompletion, offersTheValuesThatADeclarationNames) {
  std::vector<std::string> lines, wanted;
  walk(commandTree(), "", [&](const CompletionNode& node, const std::string& path) {
    const auto expect = [&](const std::string& line, const Values& values) {
      if (values.empty() || values.files) return;
      lines.push_back(line);
      std::string text = values.command.empty() ? "" : values.command.substr(6);
      for (char& c : text) c = c == ' ' ? '_' : c;
      for (const std::string& word : values.words) text += (text.empty() ? "" : " ") + word;
      wanted.push_back(text);
    };
    std::string before = "swarm" + path;
    for (const CompletionFlag& flag : node.flags)
      if (flag.hasValue) expect(before + " --" + flag.names.front() + " ''", flag.values);
    for (const CompletionWord& word : node.words) {
      expect(before + " ''", word.values);
      before += " x";
    }
  });
  EXPECT_GT(lines.size(), 60u);
  const std::vector<std::string> found = offers(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(found[i], wanted[i]) << lines[i];
}

TEST(BashCompletion, doesNotExecuteWhatTheServerNames) {
  const test::TempDir folder;
  const std::string made = (folder / "made").string();
  std::string names = "printf '%s\\n' web1";
  for (const std::string& text : {"$(touch${IFS}" + made + ")", "`touch${IFS}" + made + "`", "$((x[$(touch${IFS}" + made + ")]))",
                                  std::string("~"), std::string("/*"), std::string("{a,b}"), std::string("$HOME")})
    names += " '" + text + "'";
  EXPECT_EQ(offers({"swarm show ''"}, names).front(), "web1");
  EXPECT_FALSE(std::filesystem::exists(made));
}

TEST(BashCompletion, countsWordsAndKnowsAliases) {
  EXPECT_EQ(offered("swarm snap"), "snapshot");
  EXPECT_EQ(offered("swarm snapshot res"), "restore");
  EXPECT_EQ(offered("swarm migrate --keep"), "--keep-source");
  EXPECT_EQ(offered("swarm rm ''"), "list_-o_name") << "an alias";
  EXPECT_EQ(offered("swarm rm web1 --volumes ''"), "list_-o_name") << "several words";
  EXPECT_EQ(offered("swarm serve --log-style j"), "json");
  EXPECT_EQ(offered("swarm create --provider ''"), "providers_-o_name") << "those of the server";
  EXPECT_EQ(offered("swarm --url http://x volumes del"), "delete");
  EXPECT_EQ(offered("swarm snapshot restore --timeout 5 web1 ''"), "snapshot_list_-o_name");
  EXPECT_EQ(offered("swarm migrate --keep-source ''"), "list_-o_name") << "its value is written behind =";
  EXPECT_EQ(offered("swarm create ''"), "") << "a new name";
}

TEST(Completion, isThereForEveryShell) {
  const ApiDouble api;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = runCommand(api, {"completion", shell}).out;
    walk(commandTree(), "", [&](const CompletionNode& node, const std::string& path) {
      for (const CompletionNode& below : node.below) EXPECT_NE(script.find(below.name), std::string::npos) << shell << path;
      for (const CompletionFlag& flag : node.flags) EXPECT_NE(script.find(flag.names.front()), std::string::npos) << shell << path;
    });
  }
}

}  // namespace
}  // namespace swarm::cli::testing
