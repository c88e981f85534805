// `swarm show`
#include "base/text/duration_text.h"
#include "base/text/untrusted_text.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

/// A workspace as lines of "label value".
class Description {
 public:
  void row(std::string_view label, const std::string& value) {
    if (!value.empty()) text_ += format("{:<12} {}\n", label, printable(value));
  }
  void row(std::string_view label, const Cell& cell, bool colour) {
    text_ += format("{:<12} {}\n", label, colour ? format("\033[{}m{}\033[0m", cell.colour, cell.text) : cell.text);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string keptText(const Instance& instance) {
  const auto& kept = *instance.keptSource;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(kept.until - RealClock().now()).count();
  return format("{}, for {} more; to go back: swarm migrate {} --back", placeTitle(kept.provider, kept.region), durationText(left),
                instance.config.name);
}

std::string describe(Context& context, const Instance& instance) {
  Description out;
  const std::string& name = instance.config.name;
  out.row("name", name);
  out.row("status", statusCell(instance.status), context.colour());
  out.row("reason", instance.statusReason);
  out.row("url", instance.url);
  out.row("id", instance.id.str());
  out.row("owner", instance.owner);
  out.row("provider", std::string(enumName(instance.provider)) +
                          (instance.stale ? " (not reachable; last seen " + ago(instance.observedAt) + ")" : ""));
  out.row("region", instance.region);
  if (instance.keptSource) out.row("kept place", keptText(instance));
  out.row("image", instance.config.image);
  if (instance.imageOutdated) out.row("newer image", format("available; to use it: swarm update {} --refresh-image", name));
  for (const auto& [label, text] : resourceRows(instance.resources)) out.row(label, text);
  out.row("created", formatTime(instance.createdAt));
  out.row("last active", ago(instance.lastActive));
  out.row("address", instance.network.internalIp);
  const std::string limits = enforcesStorage(context, instance.provider) ? "" : " (not enforced by the provider)";
  for (const StorageConfig& storage : instance.config.storage) {
    out.row("volume",
            format("{} {} GiB{}{}{}", storage.mountPath, storage.size, limits, storage.persistent ? "" : ", deleted with the workspace",
                   storage.volumeName.empty() ? "" : ", " + storage.volumeName));
  }
  for (const PortMapping& port : instance.network.ports)
    out.row("port", format("{}/{} on {}", port.internal, port.protocol, port.external));
  for (const auto& [key, value] : instance.config.labels) out.row("label", key + "=" + value);
  out.row("operation", instance.operationId);
  return out.text();
}

class Show final : public Verb {
 public:
  Show() : Verb({.name = "show", .summary = "Show one workspace", .examples = {"swarm show web1 -o yaml"}}) {}

  void declare(Arguments& arguments) override { arguments.word("name", name_, "Name or id").suggest(workspaceNames()); }

  int run(Context& context) override {
    const Instance instance = requireInstance(context, name_);
    if (printStructured(context, toJson(instance))) return kDone;
    print(context.output() == OutputFormat::Name ? instance.config.name + "\n" : describe(context, instance));
    return kDone;
  }

 private:
  std::string name_;
};

}  // namespace

VerbPtr makeShow() { return std::make_unique<Show>(); }

}  // namespace swarm::cli
