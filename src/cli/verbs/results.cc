// Results of verbs on workspaces.
#include "cli/verbs/results.h"

#include <optional>
#include <set>

#include "base/not_found.h"
#include "base/text/format.h"
#include "cli/output/output.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

/// A capability of a provider; nothing when it is unknown.
std::optional<bool> capabilityOf(Context& context, ProviderType type, std::string_view name) {
  try {
    const boost::json::value provider = context.client().getProvider(std::string(enumName(type)));
    return provider.at("capabilities").at(name).as_bool();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Instance requireInstance(Context& context, const std::string& name) {
  auto instance = context.client().getInstance(name);
  if (!instance) throw noSuchWorkspace(name);
  return *instance;
}

void requireStarted(const Instance& instance) {
  if (instance.status != InstanceStatus::stopped && instance.status != InstanceStatus::failed) return;
  const std::string& name = instance.config.name;
  throw Error(ErrorCode::Conflict, format("Workspace {} is {}. Run `swarm start {}` first.", name, enumName(instance.status), name));
}

void announceEntry(Context& context, const std::string& name) {
  std::optional<InstanceAccess> access;
  try {
    access = context.client().getInstanceAccess(name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::PermissionDenied) throw;  // a token that may enter, and not read
  }
  if (!access || !access->entryIsRecorded) return;
  report(format("{} belongs to {}. Your entry is recorded, with your name and the time.\n", name, access->owner));
}

Instance reload(Context& context, const Instance& instance) { return context.client().getInstance(instance.id.str()).value_or(instance); }

void printResult(Context& context, const Instance& instance) {
  if (printStructured(context, toJson(instance))) return;
  if (context.output() == OutputFormat::Name) {
    printLine(instance.config.name);
  } else if (instance.status == InstanceStatus::running && !instance.url.empty()) {
    printLine(instance.url);
  }
}

void reportNotice(const Instance& instance) {
  if (instance.status == InstanceStatus::running && !instance.statusReason.empty()) report(format("Warning: {}\n", instance.statusReason));
}

void printResults(Context& context, const std::vector<Instance>& instances) {
  if (instances.size() > 1 && printStructured(context, toJson(instances))) return;
  for (const Instance& instance : instances) printResult(context, instance);
}

bool enforcesStorage(Context& context, ProviderType type) { return capabilityOf(context, type, "enforcesStorage").value_or(true); }
bool networkPerOwner(Context& context, ProviderType type) { return capabilityOf(context, type, "networkPerOwner").value_or(false); }

void reportUnenforcedStorage(Context& context, const std::vector<Instance>& instances) {
  std::set<ProviderType> providers;
  for (const Instance& instance : instances) providers.insert(instance.provider);
  for (ProviderType provider : providers) {
    if (!enforcesStorage(context, provider))
      report(format("Sizes of volumes are not enforced at {}: files can fill its disk.\n", placeTitle(provider)));
  }
}

bool confirmDeletion(const std::vector<std::string>& names, bool yes) {
  if (yes) return true;
  report(format("Deleting {} with all files in {}; they cannot be restored.\n", joined(names), names.size() == 1 ? "it" : "them"));
  return confirmed();
}

}  // namespace swarm::cli
