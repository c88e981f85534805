// Parsing, and what every verb has in common.
#include "cli/command_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/wrong_use.h"

namespace swarm::cli {
namespace {

/// Descriptors 0 to 2 exist, so that no connection of ours is ever taken for one of them.
void openStandardDescriptors() {
  int file = ::open("/dev/null", O_RDWR);
  while (file >= 0 && file <= 2) file = ::open("/dev/null", O_RDWR);
  if (file > 2) ::close(file);
}

/// How many letters must be changed, added, left out or exchanged with their neighbour to make one of the other.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> cost(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j <= right.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[left.size()][right.size()];
}

CLI::App* findVerb(CLI::App& app, const std::string& word) {
  for (CLI::App* one : app.get_subcommands([](CLI::App*) { return true; })) {
    if (one->check_name(word)) return one;
  }
  return nullptr;
}

}  // namespace

std::string nearestWord(std::string_view word, const std::vector<std::string>& words) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const std::string& one : words) {
    std::size_t steps = one.starts_with(word) && word.size() > 1 ? 1 : distance(word, one);
    if (steps >= least) continue;
    least = steps;
    nearest = one;
  }
  return nearest;
}

CommandLine::CommandLine(const std::function<int(const ServeFlags&)>& serve) : serve_(serve) {
  app_.require_subcommand(1);
  app_.fallthrough(false);
  app_.get_formatter()->column_width(34);
  app_.set_version_flag("-v,--version", "swarm " SWARM_VERSION, "Print the version of this command");
  app_.add_option("--url", common_.url, "Address of the server, for every verb that has it");
  addCreate();
  addListAndShow();
  addLifecycle();
  addUpdateAndDelete();
  addInside();
  addMigrate();
  addSnapshots();
  addArchive();
  addVolumes();
  addOperations();
  addProviders();
  addServe();
  addSession();
  addApi();
  addHelpAndCompletion();
  app_.footer(
      "`swarm help VERB` shows a verb's flags and an example.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 timed out.");
}

int CommandLine::run(int argc, char** argv) {
  openStandardDescriptors();
  std::vector<std::string> words(argv + 1, argv + argc);
  // What stands behind "--" belongs to the command that exec or create runs, whatever it looks like.
  auto end = std::ranges::find(words, "--");
  if (end != words.end()) command_.assign(end + 1, words.end());
  words.erase(end, words.end());
  try {
    if (int code = parse(std::move(words)); code != kDone || !action_) return code;
    return action_();
  } catch (const WrongUse& error) {
    return wrongUse(error.message());
  } catch (const Error& error) {
    printError(error, common_.output);
    return exitCodeOf(error);
  } catch (const std::exception& error) {
    tell(format("swarm: {}\n", error.what()));
    return kFailed;
  }
}

int CommandLine::parse(std::vector<std::string> words) {
  if (words.empty() && command_.empty()) words = {"--help"};
  // The first word that is neither a flag nor the value of --url is the verb.
  auto verb_at = words.begin();
  while (verb_at != words.end() && verb_at->starts_with("-")) verb_at += *verb_at == "--url" && verb_at + 1 != words.end() ? 2 : 1;
  if (verb_at != words.end() && !findVerb(app_, *verb_at)) return unknownVerb(*verb_at);
  std::ranges::reverse(words);  // as CLI11 wants it
  try {
    app_.parse(words);
    if (!command_.empty() && !takesCommand()) throw CLI::ExtrasError(command_);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return wrongUse(error.what());
    std::ostringstream text;
    app_.exit(error, text, text);
    print(text.str());
  }
  return kDone;
}

bool CommandLine::takesCommand() { return app_.got_subcommand("exec") || app_.got_subcommand("create"); }

int CommandLine::wrongUse(const std::string& why) {
  tell(format("swarm: {}\nSee `{}`.\n", why, helpCommand()));
  return kWrongUse;
}

int CommandLine::unknownVerb(const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* one : app_.get_subcommands([](CLI::App*) { return true; })) {
    known.push_back(one->get_name());
    for (const std::string& alias : one->get_aliases()) known.push_back(alias);
  }
  const std::string nearest = nearestWord(word, known);
  const std::string hint = nearest.empty() ? "" : format(" Did you mean \"{}\"?", nearest);
  tell(format("swarm: There is no verb \"{}\".{}\nSee `swarm --help`.\n", word, hint));
  return kWrongUse;
}

std::string CommandLine::helpCommand() {
  std::string command = "swarm";
  for (const CLI::App* at = &app_; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return command + " --help";
}

CLI::App* CommandLine::verb(const std::string& name, const std::string& what, const std::string& example) {
  CLI::App* made = app_.add_subcommand(name, what);
  made->footer("Example:\n  " + example);
  return made;
}

/// Options of every verb that talks to the server.
void CommandLine::addCommon(CLI::App* made) {
  made->add_option("--url", common_.url, "Address of the server (SWARM_URL; default: what serve or login wrote)");
  made->add_option("--ca", common_.caFile, "PEM file to trust for https");
  if (made->get_option_no_throw("--output")) return;  // a verb whose output is a file
  made->add_option_function<std::string>(
          "-o,--output",
          [this](const std::string& text) {
            common_.output = text == "json"   ? OutputFormat::Json
                             : text == "yaml" ? OutputFormat::Yaml
                             : text == "name" ? OutputFormat::Name
                                              : OutputFormat::Table;
          },
          "table, json, yaml or name")
      ->check(CLI::IsMember({"table", "json", "yaml", "name"}));
}

void CommandLine::onRun(CLI::App* made, std::function<int(Context&)> action) {
  addCommon(made);
  made->callback([this, made, action = std::move(action)] {
    // The callbacks of a verb's parts run before its own: the part was chosen.
    if (!made->get_subcommands().empty()) return;
    action_ = [this, action] {
      Context context(common_);
      return action(context);
    };
  });
}

void CommandLine::addWait(CLI::App* made, WaitOptions& wait) {
  const std::string what = format("Seconds to wait (default {})", wait.timeout.count());
  made->add_flag_callback("--no-wait", [&wait] { wait.wait = false; }, "Return at once; the operation goes on");
  made->add_option_function<int>(
          "--timeout", [&wait](int seconds) { wait.timeout = std::chrono::seconds(seconds); }, what)
      ->check(CLI::Range(1, 86400));
}

void CommandLine::addResources(CLI::App* made, ResourceFlags& flags) {
  made->add_option("--cpus", flags.cpus, "Cores, like 2 or 0.5")->check([](const std::string& text) {
    const bool is_number = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    return is_number ? std::string() : std::string("expected a number of cores, like 2 or 0.5");
  });
  made->add_option("--memory", flags.memory, "Memory limit, like 4g or 512m");
  made->add_option("--memory-min", flags.memoryMin, "Memory that is kept for it");
  made->add_option("--disk,--storage", flags.disk, "Size of its volumes in GiB");
  made->add_option("--pids", flags.pids, "Most processes and threads");
}

void CommandLine::addHelpAndCompletion() {
  CLI::App* made = verb("completion", "Print the completion script of a shell", "source <(swarm completion bash)");
  made->add_option("shell", name_, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  made->callback([this] {
    action_ = [this] {
      print(completionScript(name_, completionTree(app_)));
      return static_cast<int>(kDone);
    };
  });
  onRun(verb("version", "Versions of this command and of the server", "swarm version"), [](Context& context) { return version(context); });
  made = verb("help", "Show the flags of a verb and an example", "swarm help create");
  made->add_option("verb", names_, "A verb, like create, or snapshot restore");
  made->callback([this] {
    action_ = [this] {
      CLI::App* at = &app_;
      for (const std::string& word : names_) {
        CLI::App* below = findVerb(*at, word);
        if (!below) return unknownVerb(word);
        at = below;
      }
      std::string path = "swarm";
      for (const std::string& word : names_) path += " " + word;
      print(at->get_formatter()->make_help(at, path, CLI::AppFormatMode::Normal) + "\n");
      return static_cast<int>(kDone);
    };
  });
}

CompletionNode completionTree(const CLI::App& app) {
  CompletionNode node{app.get_name(), app.get_description(), app.get_aliases(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_positional()) {
      node.words.push_back(option->get_name(true));
      continue;
    }
    CompletionFlag flag{option->get_lnames(), option->get_snames(), option->get_description(), option->get_items_expected_max() > 0};
    node.flags.push_back(std::move(flag));
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) node.below.push_back(completionTree(*below));
  return node;
}

int run(int argc, char** argv, const std::function<int(const ServeFlags&)>& serve) { return CommandLine(serve).run(argc, argv); }

}  // namespace swarm::cli
