// `swarm status`, and `swarm providers` with its parts
#include "base/text/json_access.h"
#include "cli/output/prompt.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

std::string usedOf(const UsedTotal& value, std::string_view unit) {
  if (value.total <= 0) return format("{:.1f} {}", value.used, unit);
  return format("{:.1f} of {:.0f} {}", value.used, value.total, unit);
}

/// `value` is in MiB.
std::string memoryOf(const UsedTotal& value) {
  if (std::max(value.used, value.total) < 1024) return usedOf(value, "MiB");
  return usedOf({value.used / 1024, value.total / 1024}, "GiB");
}

int showStatus(Context& context) {
  const SwarmStatus status = context.client().getSwarmStatus();
  if (printStructured(context, toJson(status))) return kDone;
  print(format("{} workspace{}: {} running, {} stopped, {} failed\n", status.totalInstances, status.totalInstances == 1 ? "" : "s",
               status.runningInstances, status.stoppedInstances, status.failedInstances));
  print(format("cpu {}, memory {}, storage {}\n\n", usedOf(status.resourceUsage.cpu, "cores"), memoryOf(status.resourceUsage.memory),
               usedOf(status.resourceUsage.storage, "GiB")));
  Table table({copied("PROVIDER"), "STATUS", "WORKSPACES", "DETAIL"});
  for (const ProviderStatus& provider : status.providers) {
    table.add({std::string(enumName(provider.type)), std::string(enumName(provider.status)), std::to_string(provider.instances),
               provider.detail});
  }
  print(table.render(context.columns(), context.colour()));
  return kDone;
}

int listProviders(Context& context) {
  const boost::json::array providers = context.client().listProviders();
  std::vector<Listed> rows;
  for (const auto& provider : providers) {
    const std::string type = memberText(provider, "type");
    rows.push_back(
        {type,
         {type, memberText(provider, "status"), memberText(provider, "instances"), memberText(provider, "isDefault") == "true" ? "yes" : "",
          stringAt(provider, "token.source"), memberText(provider, "detail")}});
  }
  printList(context, providers, {copied("PROVIDER"), "STATUS", "WORKSPACES", "DEFAULT", "TOKEN", "DETAIL"}, rows);
  return kDone;
}

int listRegions(Context& context) {
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

int showProvider(Context& context, const std::string& type) {
  const boost::json::object provider = context.client().getProvider(type);
  if (!printStructured(context, provider)) print(toYaml(provider));
  return kDone;
}

int validateProvider(Context& context, const std::string& type) {
  const boost::json::object result = context.client().validateProvider(type);
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

/// The token is not an argument: those are visible to every user of the machine.
class ProvidersToken final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("type", type_, "Provider, as `swarm providers` lists them").suggest(providerNames());
    arguments.flag("--remove", remove_, "Remove the stored token; that of the server's configuration is used again");
    arguments.flag("--force", force_, "Replace the token also while the provider cannot be reached to check it").sets("/force");
  }

  int run(Context& context) override {
    const boost::json::object now =
        remove_ ? context.client().removeProviderToken(type_)
                : context.client().setProviderToken(type_, readSecret(format("Token of the provider {}", type_)), force_);
    if (printStructured(context, now)) return kDone;
    const std::string source = memberText(now, "source");
    if (!remove_)
      report(format("The provider {} uses this token from now on.\n", type_));
    else if (source == "none")
      report(format("The stored token was removed. The provider {} has none, and is unavailable.\n", type_));
    else
      report(format("The stored token was removed. The provider {} uses that of the server's {}.\n", type_,
                    source == "file" ? "file (apiTokenFile)" : source));
    return kDone;
  }

 private:
  std::string type_;
  bool remove_ = false;
  bool force_ = false;
};

}  // namespace

void addProviders(const AddVerb& add) {
  const Word type{"type", "Provider, as `swarm providers` lists them", providerNames()};
  add({.name = "status", .summary = "Show totals of the swarm, and its providers", .examples = {"swarm status"}}, plainVerb(showStatus));
  addListVerb(add,
              {.name = "providers",
               .summary = "List providers; regions, show, validate, token",
               .examples = {"swarm providers", "swarm providers validate docker"}},
              listProviders);
  add({.name = "providers regions",
       .summary = "List where workspaces can be: regions of Fly.io, names of Docker hosts",
       .examples = {"swarm providers regions"}},
      plainVerb(listRegions));
  add({.name = "providers show",
       .summary = "Show capabilities, health and number of workspaces of a provider",
       .examples = {"swarm providers show docker"}},
      wordVerb(type, showProvider));
  add({.name = "providers validate",
       .summary = "Check the configuration of a provider against its endpoint",
       .examples = {"swarm providers validate docker"}},
      wordVerb(type, validateProvider));
  add({.name = "providers token",
       .summary = "Replace the token of a provider's API, read from the terminal or from standard input",
       .examples = {"swarm providers token flyio", "fly tokens create org | swarm providers token flyio",
                    "swarm providers token flyio --remove"}},
      std::make_unique<ProvidersToken>());
}

}  // namespace swarm::cli
