// `swarm names` and its part `free`
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Names final : public Verb {
 public:
  Names()
      : Verb({.name = "names",
              .summary = "List names of deleted workspaces that are reserved for their owners; free",
              .examples = {"swarm names", "swarm names free web1"}}) {}

  int run(Context& context) override {
    const boost::json::array names = context.client().listNameHolds();
    std::vector<Listed> rows;
    for (const auto& hold : names) {
      const std::string name = memberText(hold, "name");
      rows.push_back({name, {name, memberText(hold, "owner"), memberText(hold, "until")}});
    }
    printList(context, names, {copied("NAME"), "RESERVED FOR", "UNTIL"}, rows);
    return kDone;
  }
};

class NamesFree final : public Verb {
 public:
  NamesFree() : Verb({.name = "names free", .summary = "Release names for all users", .examples = {"swarm names free web1"}}) {}

  void declare(Arguments& arguments) override { arguments.word("names", names_, "Names").suggest({.command = "swarm names -o name"}); }

  int run(Context& context) override {
    for (const std::string& name : names_) {
      context.client().releaseName(name);
      report(format("{} is free.\n", name));
    }
    return kDone;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

VerbPtr makeNames() { return std::make_unique<Names>(); }
VerbPtr makeNamesFree() { return std::make_unique<NamesFree>(); }

}  // namespace swarm::cli
