// CommandLine: the verbs, their flags and help texts, and what runs them. The one place that names CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/verbs/verbs.h"

namespace swarm::cli {

/// One command line: its options' storage, and what the chosen verb runs.
class CommandLine {
 public:
  explicit CommandLine(const std::function<int(const ServeFlags&)>& serve);
  int run(int argc, char** argv);

 private:
  // command_line.cc
  int parse(std::vector<std::string> words);
  int wrongUse(const std::string& why);
  int unknownVerb(const std::string& word);
  std::string helpCommand();
  bool takesCommand();
  CLI::App* verb(const std::string& name, const std::string& what, const std::string& example);
  void addCommon(CLI::App* made);
  void onRun(CLI::App* made, std::function<int(Context&)> action);
  static void addWait(CLI::App* made, WaitOptions& wait);
  static void addResources(CLI::App* made, ResourceFlags& flags);
  void addHelpAndCompletion();

  // command_verbs.cc
  void addServe();
  void addSession();
  void addCreate();
  void addCreateOptions(CLI::App* made);
  void addArchive();
  void addListAndShow();
  void addLifecycle();
  void addUpdateAndDelete();
  void addMigrate();
  // command_more.cc
  void addInside();
  void addProviders();
  void addVolumes();
  void addSnapshots();
  void addOperations();
  void addApi();

  const std::function<int(const ServeFlags&)>& serve_;
  CLI::App app_{"VS Code workspaces, wherever you want them to run", "swarm"};
  std::function<int()> action_;
  CommonOptions common_;
  ServeFlags serve_flags_;
  LoginFlags login_;
  GitIdentityFlags git_;
  CreateFlags create_;
  ListFlags list_;
  UpdateFlags update_;
  MigrateFlags migrate_;
  SnapshotFlags snapshot_;
  ExportFlags export_;
  ImportFlags import_;
  DeleteFlags delete_;
  ExecFlags exec_;
  LogFlags logs_;
  WaitOptions wait_;
  bool empty_volumes_ = false;
  std::string name_, instance_;
  std::vector<std::string> names_;
  std::vector<std::string> command_;  ///< what stands behind "--"
  ApiFlags api_;
  OpenFlags open_;
};

/// The one of `words` that `word` is most like; empty: it is like none.
std::string nearestWord(std::string_view word, const std::vector<std::string>& words);
/// The tree of verbs as completion scripts need it.
CompletionNode completionTree(const CLI::App& app);

}  // namespace swarm::cli
