// `swarm providers validate`
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class ProvidersValidate final : public Verb {
 public:
  ProvidersValidate()
      : Verb({.name = "providers validate",
              .summary = "Check the configuration of a provider against its endpoint",
              .examples = {"swarm providers validate docker"}}) {}

  void declare(Arguments& arguments) override { arguments.word("type", type_, "docker or flyio").suggest(providerNames()); }

  int run(Context& context) override {
    const boost::json::object result = context.client().validateProvider(type_);
    bool all_ok = true;
    Table table({"CHECK", "RESULT", "DETAIL"});
    for (const auto& check : result.at("checks").as_array()) {
      const bool ok = memberText(check, "ok") == "true";
      all_ok = all_ok && ok;
      table.add({memberText(check, "name"), ok ? "ok" : "failed", memberText(check, "detail")});
    }
    if (!printStructured(context, result)) print(table.render(context.columns(), context.colour()));
    return all_ok ? kDone : kFailed;
  }

 private:
  std::string type_;
};

}  // namespace

VerbPtr makeProvidersValidate() { return std::make_unique<ProvidersValidate>(); }

}  // namespace swarm::cli
