// `swarm providers` and its parts
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

class ProvidersShow final : public Verb {
 public:
  ProvidersShow()
      : Verb({.name = "providers show",
              .summary = "Show capabilities, health and number of workspaces of a provider",
              .examples = {"swarm providers show docker"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("type", type_, "Provider, as `swarm providers` lists them").suggest(providerNames());
  }

  int run(Context& context) override {
    const boost::json::object provider = context.client().getProvider(type_);
    if (!printStructured(context, provider)) print(toYaml(provider));
    return kDone;
  }

 private:
  std::string type_;
};

class ProvidersValidate final : public Verb {
 public:
  ProvidersValidate()
      : Verb({.name = "providers validate",
              .summary = "Check the configuration of a provider against its endpoint",
              .examples = {"swarm providers validate docker"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("type", type_, "Provider, as `swarm providers` lists them").suggest(providerNames());
  }

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

VerbPtr makeProviders() { return std::make_unique<Providers>(); }
VerbPtr makeProvidersRegions() { return std::make_unique<ProvidersRegions>(); }
VerbPtr makeProvidersShow() { return std::make_unique<ProvidersShow>(); }
VerbPtr makeProvidersValidate() { return std::make_unique<ProvidersValidate>(); }

}  // namespace swarm::cli
