// Parses the words of one command line by the declarations of the verbs, and runs the chosen verb. CLI11 is named only here and in
// arguments.cc.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <sstream>

#include "cli/completion.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kHelpWidth = 80;
constexpr std::size_t kNameWidth = 34;

std::string wrapped(const std::string& text, std::size_t width) {
  std::string lines;
  std::istringstream paragraphs(text);
  for (std::string paragraph; std::getline(paragraphs, paragraph);)
    for (const std::string& line : wrap(paragraph, width)) lines += (lines.empty() ? "" : "\n") + line;
  return lines;
}

/// Wraps the texts beside the names.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kNameWidth); }
  std::string make_description(const CLI::App* app) const override { return wrapped(app->get_description(), kHelpWidth) + "\n"; }
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), kHelpWidth - kNameWidth);
  }
  std::string make_subcommand(const CLI::App* app) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, app->get_display_name(true), wrapped(app->get_description(), kHelpWidth - kNameWidth), kNameWidth);
    return out.str();
  }
};

/// Keeps descriptors 0 to 2 occupied, so that no connection gets one of them.
void openStandardDescriptors() {
  int file = ::open("/dev/null", O_RDWR);
  while (file >= 0 && file <= 2) file = ::open("/dev/null", O_RDWR);
  if (file > 2) ::close(file);
}

/// The number of letters to change, add, leave out or exchange with their neighbour to turn one into the other.
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

std::vector<const CLI::App*> partsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Null: there is no such part.
CLI::App* findPart(CLI::App& app, const std::string& word) {
  const auto named = app.get_subcommands([&](CLI::App* one) { return one->check_name(word); });
  return named.empty() ? nullptr : named.front();
}

std::string footerOf(const Verb::About& about) {
  std::string text = about.notes.empty() ? "" : wrapped(about.notes, kHelpWidth) + "\n";
  text += about.examples.size() == 1 ? "Example:" : "Examples:";
  for (const std::string& example : about.examples) text += "\n  " + example;
  return text;
}

void declareCommon(Arguments& arguments, CommonOptions& common) {
  arguments.option("--url", common.url, "Address of the server (SWARM_URL; default: as stored by serve or login)");
  arguments.option("--ca-file,--ca", common.caFile, "PEM file with the certificates to trust for https (SWARM_CA_FILE)")
      .suggest(fileNames());
  if (arguments.has("--output")) return;  // the output of `export` is a file
  arguments.option("-o,--output", common.format, "table, json, yaml or name").oneOf({"table", "json", "yaml", "name"});
}

/// The word of `words` that is most similar to `word`; empty when none is similar.
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

class CommandLine {
 public:
  CommandLine(const std::function<int(const ServeFlags&)>& serve, const Doctor& doctor)
      : program_{.serve = serve,
                 .doctor = doctor,
                 .tree = [this] { return tree(); },
                 .help = [this](const std::vector<std::string>& words) { return helpText(words); }} {
    app_.require_subcommand(1);
    app_.fallthrough(false);
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.set_version_flag("-v,--version", "swarm " SWARM_VERSION, "Print the version of this command");
    app_.add_option("--url", common_.url, "Address of the server, for every verb that calls it");
    for (auto add_verbs : kVerbs) add_verbs([this](const Verb::About& about, VerbPtr verb) { add(about, std::move(verb)); });
    app_.footer(
        wrapped("Run `swarm help VERB` for the flags of a verb and an example.\n"
                "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 timed out.",
                kHelpWidth));
  }

  int run(int argc, char** argv) {
    openStandardDescriptors();
    std::vector<std::string> words(argv + 1, argv + argc);
    auto end = std::ranges::find(words, "--");
    if (end != words.end()) command_.assign(end + 1, words.end());
    words.erase(end, words.end());
    try {
      Node* node = parse(std::move(words));
      return node ? runVerb(*node) : kDone;
    } catch (const WrongUse& error) {
      return wrongUse(error.message());
    } catch (const std::exception& error) {
      report(format("swarm: {}\n", error.what()));
      return kFailed;
    }
  }

  /// All verbs with their parts and arguments.
  CompletionNode tree() const { return treeOf(app_); }

 private:
  /// A verb and its arguments.
  struct Node {
    VerbPtr verb;
    CLI::App* app;
    Arguments arguments;
  };

  /// "snapshot create" is a part of "snapshot", which was added before it.
  void add(const Verb::About& about, VerbPtr verb) {
    const std::size_t blank = about.name.find(' ');
    CLI::App* parent = blank == std::string::npos ? &app_ : findPart(app_, about.name.substr(0, blank));
    if (parent != &app_ && parent->get_require_subcommand_max() == 0) parent->require_subcommand(0, 1);
    CLI::App* app = parent->add_subcommand(about.name.substr(blank == std::string::npos ? 0 : blank + 1), about.summary);
    for (const std::string& alias : about.aliases) app->alias(alias);
    app->footer(footerOf(about));
    if (!verb) return static_cast<void>(app->require_subcommand(1, 1));
    Node& node = nodes_.emplace_back(std::move(verb), app, Arguments(*app));
    node.verb->declare(node.arguments);
    if (about.kind == Verb::Kind::Server) declareCommon(node.arguments, common_);
  }

  int runVerb(Node& node) {
    Context context(common_, program_, node.arguments);
    try {
      return node.verb->run(context);
    } catch (const WrongUse&) {
      throw;
    } catch (const Error& error) {
      printError(context, error);
      return exitCodeOf(error);
    }
  }

  /// The chosen verb; null when the text of a flag such as --help was printed instead. Throws WrongUse.
  Node* parse(std::vector<std::string> words) {
    if (words.empty() && command_.empty()) words = {"--help"};
    // The first word that is neither a flag nor the value of --url is the verb.
    auto verb_at = words.begin(), unknown = words.end();
    for (; verb_at != words.end() && verb_at->starts_with("-"); verb_at += *verb_at == "--url" && verb_at + 1 != words.end() ? 2 : 1)
      if (unknown == words.end() && !app_.get_option_no_throw(verb_at->substr(0, verb_at->find('=')))) unknown = verb_at;
    if (verb_at != words.end() && !findPart(app_, *verb_at)) {
      // What follows a flag that does not exist may be its value, and a secret.
      throw WrongUse(unknown == words.end() ? unknownPart(app_, *verb_at) : unexpected(app_, {*unknown}));
    }
    std::ranges::reverse(words);  // the order that CLI11 expects
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0) throw WrongUse(reasonOf(error));
      std::ostringstream text;
      app_.exit(error, text, text);
      print(text.str());
      return nullptr;
    }
    Node* node = chosen();
    if (node) assignCommand(*node);
    return node;
  }

  const CLI::App* chosenApp() const {
    const CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return at;
  }

  Node* chosen() {
    auto node = std::ranges::find(nodes_, chosenApp(), &Node::app);
    return node == nodes_.end() ? nullptr : &*node;
  }

  /// The words behind "--" belong to the command that exec or create runs, even when they look like flags.
  void assignCommand(Node& node) const {
    std::vector<std::string>* into = node.arguments.commandWords();
    if (into) {
      *into = node.app->remaining();
      into->insert(into->end(), command_.begin(), command_.end());
    } else if (!command_.empty()) {
      throw WrongUse(unexpected(*node.app, command_));
    }
  }

  int wrongUse(const std::string& why) const {
    report(format("swarm: {}\nSee `{} --help`.\n", why, pathOf(*chosenApp())));
    return kWrongUse;
  }

  /// CLI11 names neither the parts of a verb nor the flag that was probably meant.
  std::string reasonOf(const CLI::ParseError& error) const {
    const CLI::App& app = *chosenApp();
    const std::vector<std::string> left = app.remaining();
    if (app.get_require_subcommand_min() > 0) {
      if (!left.empty() && !left.front().starts_with("-")) return unknownPart(app, left.front());
      std::vector<std::string> parts;
      for (const CLI::App* one : partsOf(app)) parts.push_back(one->get_name());
      return format("`{}` requires one of these words: {}.", pathOf(app), joined(parts));
    }
    return dynamic_cast<const CLI::ExtrasError*>(&error) ? unexpected(app, app_.remaining(true)) : error.what();
  }

  /// The words with which a user chooses `app`: "swarm snapshot create".
  static std::string pathOf(const CLI::App& app) {
    return app.get_parent() ? pathOf(*app.get_parent()) + " " + app.get_name() : app.get_name();
  }

  static std::string didYouMean(const std::string& nearest) { return nearest.empty() ? "" : format(" Did you mean \"{}\"?", nearest); }

  static std::string unknownPart(const CLI::App& app, const std::string& word) {
    std::vector<std::string> known;
    for (const CLI::App* one : partsOf(app)) {
      known.push_back(one->get_name());
      known.insert(known.end(), one->get_aliases().begin(), one->get_aliases().end());
    }
    const std::string verb = app.get_parent() ? app.get_name() + " " : "";
    const std::string nearest = nearestWord(word, known);
    return format("There is no verb \"{}{}\".{}", verb, word, didYouMean(nearest.empty() ? "" : verb + nearest));
  }

  static std::string unexpected(const CLI::App& app, const std::vector<std::string>& words) {
    auto flag = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with("-"); });
    if (flag == words.end())
      return partsOf(app).empty() ? format("\"{}\" was not expected.", joined(words, " ")) : unknownPart(app, words.front());
    const std::string name = flag->substr(0, flag->find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options({}))
      known.insert(known.end(), option->get_lnames().begin(), option->get_lnames().end());
    const std::string nearest = name.starts_with("--") ? nearestWord(name.substr(2), known) : "";
    if (name == "--token") return "There is no flag \"--token\": the list of processes would show the token. Set SWARM_TOKEN.";
    return format("There is no flag \"{}\".{}", name, didYouMean(nearest.empty() ? "" : "--" + nearest));
  }

  std::string helpText(const std::vector<std::string>& words) {
    CLI::App* at = &app_;
    for (const std::string& word : words) {
      CLI::App* part = findPart(*at, word);
      if (!part) throw WrongUse(unknownPart(*at, word));
      at = part;
    }
    return at->get_formatter()->make_help(at, pathOf(*at), CLI::AppFormatMode::Normal);
  }

  const Values& valuesOf(const CLI::Option* option) const {
    static const Values none;
    for (const Node& node : nodes_) {
      for (const Argument& one : node.arguments.all())
        if (&one.option() == option) return one.values();
    }
    return none;
  }

  CompletionNode treeOf(const CLI::App& app) const {
    CompletionNode node{app.get_name(), app.get_description(), app.get_aliases(), {}, {}, {}};
    for (const CLI::Option* option : app.get_options({})) {
      if (option->get_positional())
        node.words.push_back({option->get_name(true), valuesOf(option), option->get_items_expected_max() > 1});
      else
        node.flags.push_back({option->get_lnames(), option->get_snames(), option->get_description(), option->get_items_expected_min() > 0,
                              valuesOf(option)});
    }
    for (const CLI::App* below : partsOf(app)) node.below.push_back(treeOf(*below));
    return node;
  }

  CLI::App app_{"VS Code workspaces, wherever you want them to run", "swarm"};
  CommonOptions common_;
  std::deque<Node> nodes_;
  std::vector<std::string> command_;  ///< the words behind "--"
  Program program_;
};

}  // namespace

CompletionNode commandTree() { return CommandLine({}, {}).tree(); }

int run(int argc, char** argv, const std::function<int(const ServeFlags&)>& serve, const Doctor& doctor) {
  return CommandLine(serve, doctor).run(argc, argv);
}

}  // namespace swarm::cli
