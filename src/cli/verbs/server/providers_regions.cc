// `swarm providers regions`
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class ProvidersRegions final : public Verb {
 public:
  ProvidersRegions()
      : Verb({.name = "providers regions",
              .summary = "List where workspaces can be: regions of Fly.io, names of Docker hosts",
              .examples = {"swarm providers regions"}}) {}

  int run(Context& context) override {
    boost::json::array regions;
    std::vector<Listed> rows;
    for (const auto& provider : context.client().listProviders()) {
      for (const auto& region : provider.at("regions").as_array()) {
        regions.push_back(boost::json::object{{"provider", provider.at("type")}, {"region", region}});
        const std::string name = memberText(regions.back(), "region");
        rows.push_back({name, {memberText(provider, "type"), name}});
      }
    }
    printList(context, regions, {copied("PROVIDER"), copied("REGION")}, rows);
    return kDone;
  }
};

}  // namespace

VerbPtr makeProvidersRegions() { return std::make_unique<ProvidersRegions>(); }

}  // namespace swarm::cli
