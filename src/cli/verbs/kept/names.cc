// `swarm names`
#include "cli/output/output.h"
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

}  // namespace

VerbPtr makeNames() { return std::make_unique<Names>(); }

}  // namespace swarm::cli
