// `swarm providers`
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Providers final : public Verb {
 public:
  Providers()
      : Verb({.name = "providers",
              .summary = "List providers; regions, show, validate",
              .examples = {"swarm providers", "swarm providers validate docker"}}) {}

  int run(Context& context) override {
    const boost::json::array providers = context.client().listProviders();
    std::vector<Listed> rows;
    for (const auto& provider : providers) {
      const std::string type = memberText(provider, "type");
      rows.push_back({type,
                      {type, memberText(provider, "status"), memberText(provider, "instances"),
                       memberText(provider, "isDefault") == "true" ? "yes" : "", memberText(provider, "detail")}});
    }
    printList(context, providers, {copied("PROVIDER"), "STATUS", "WORKSPACES", "DEFAULT", "DETAIL"}, rows);
    return kDone;
  }
};

}  // namespace

VerbPtr makeProviders() { return std::make_unique<Providers>(); }

}  // namespace swarm::cli
