// `swarm providers show`
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class ProvidersShow final : public Verb {
 public:
  ProvidersShow()
      : Verb({.name = "providers show",
              .summary = "Show capabilities, health and number of workspaces of a provider",
              .examples = {"swarm providers show docker"}}) {}

  void declare(Arguments& arguments) override { arguments.word("type", type_, "docker or flyio").suggest(providerNames()); }

  int run(Context& context) override {
    const boost::json::object provider = context.client().getProvider(type_);
    if (!printStructured(context, provider)) print(toYaml(provider));
    return kDone;
  }

 private:
  std::string type_;
};

}  // namespace

VerbPtr makeProvidersShow() { return std::make_unique<ProvidersShow>(); }

}  // namespace swarm::cli
