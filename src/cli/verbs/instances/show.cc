// `swarm show`
#include "base/text/duration_text.h"
#include "base/text/untrusted_text.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

std::string keptText(const Instance& instance) {
  const auto& kept = *instance.keptSource;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(kept.until - RealClock().now()).count();
  return format("{}, for {} more; to go back: swarm migrate {} --back", placeTitle(kept.provider, kept.region), durationText(left),
                instance.config.name);
}

std::string describe(Context& context, const Instance& instance) {
  std::string out;
  const auto row = [&out](std::string_view label, const std::string& value) {
    if (!value.empty()) out += format("{:<12} {}\n", label, printable(value));
  };
  const std::string& name = instance.config.name;
  const Cell status = statusCell(instance.status);
  row("name", name);
  out += format("{:<12} {}\n", "status", context.colour() ? format("\033[{}m{}\033[0m", status.colour, status.text) : status.text);
  row("reason", instance.statusReason);
  row("url", instance.url);
  row("id", instance.id.str());
  row("owner", instance.owner);
  row("provider",
      std::string(enumName(instance.provider)) + (instance.stale ? " (not reachable; last seen " + ago(instance.observedAt) + ")" : ""));
  row("region", instance.region);
  if (instance.keptSource) row("kept place", keptText(instance));
  row("image", instance.config.image);
  if (instance.imageOutdated) row("newer image", format("available; to use it: swarm update {} --refresh-image", name));
  for (const auto& [label, text] : resourceRows(instance.resources)) row(label, text);
  row("egress", egressText(instance));
  row("security", securityText(instance.config.security));
  row("created", formatTime(instance.createdAt));
  row("last active", ago(instance.lastActive));
  row("address", instance.network.internalIp);
  const std::string limits = enforcesStorage(context, instance.provider) ? "" : " (not enforced by the provider)";
  for (const StorageConfig& storage : instance.config.storage) {
    row("volume",
        format("{} {} GiB{}{}{}", storage.mountPath, storage.size, limits, storage.persistent ? "" : ", deleted with the workspace",
               storage.volumeName.empty() ? "" : ", " + storage.volumeName));
  }
  for (const PortMapping& port : instance.network.ports) row("port", format("{}/{} on {}", port.internal, port.protocol, port.external));
  for (const auto& [key, value] : instance.config.labels) row("label", key + "=" + value);
  row("operation", instance.operationId);
  return out;
}

int showWorkspace(Context& context, const std::string& name) {
  Instance instance = requireInstance(context, name);
  // The number of refused packets is counted on request.
  if (instance.network.egress) instance.network = context.client().getNetworkInfo(instance.id.str());
  if (printStructured(context, toJson(instance))) return kDone;
  if (context.output() == OutputFormat::Name)
    printLine(instance.config.name);
  else
    print(describe(context, instance));
  return kDone;
}

}  // namespace

void addShow(const AddVerb& add) {
  add({.name = "show", .summary = "Show one workspace", .examples = {"swarm show web1 -o yaml"}},
      wordVerb({"name", "Name or id", workspaceNames()}, showWorkspace));
}

}  // namespace swarm::cli
