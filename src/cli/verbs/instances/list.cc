// `swarm list`
#include <algorithm>

#include "base/text/untrusted_text.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

std::string diskText(const Instance& instance) {
  std::int64_t size = 0;
  for (const StorageConfig& storage : instance.config.storage) size += storage.size;
  return format("{} GiB", size);
}

std::string marksOf(const Instance& instance) { return format("{}{}", instance.stale ? "?" : "", instance.imageOutdated ? "*" : ""); }

/// What the table has no room for.
void reportDetails(Context& context, const std::vector<Instance>& instances) {
  for (const Instance& instance : instances) {
    if (instance.stale)
      report(format("{}: {} cannot be reached; this was its state {}.\n", instance.config.name, enumName(instance.provider),
                    ago(instance.observedAt)));
    if (!instance.statusReason.empty()) report(format("{}: {}\n", instance.config.name, printable(instance.statusReason)));
  }
  if (std::ranges::any_of(instances, &Instance::imageOutdated))
    report("* An older image; to replace it: swarm update NAME --refresh-image\n");
  reportUnenforcedStorage(context, instances);
}

class List final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--status", status_, "Only workspaces with this status, like running, stopped or failed")
        .suggest({.words = {"creating", "starting", "running", "stopping", "stopped", "failed", "deleting"}});
    arguments.option("--provider", provider_, "Only workspaces at this provider").suggest(providerNames());
    arguments.option("--owner", options_.owner, "Only workspaces of this user (for administrators)");
    arguments.option("-l,--label", labels_, "Only workspaces with this KEY=VALUE label; may be repeated");
  }

  int run(Context& context) override {
    ListOptions options = options_;
    options.status = parseEnum<InstanceStatus>(status_, "--status");
    options.provider = parseProvider(context, provider_, "--provider");
    options.labels = parsePairs(labels_, "--label");
    const std::vector<Instance> instances = context.client().listInstances(options);
    if (instances.empty() && context.output() == OutputFormat::Table) {
      report("There are no workspaces yet. Create one with `swarm create NAME`.\n");
      return kDone;
    }
    std::vector<Listed> rows;
    for (const Instance& instance : instances) {
      rows.push_back({instance.config.name,
                      {instance.config.name, statusCell(instance.status, marksOf(instance)), placeTitle(instance.provider, instance.region),
                       instance.owner, format("{:g}", instance.resources.cpu.cores), memoryText(instance.resources.memory.max),
                       diskText(instance), ago(instance.createdAt), instance.url}});
    }
    printList(
        context, toJson(instances),
        {copied("NAME"), "STATUS", "PLACE", extra("OWNER"), extra("CPUS"), extra("MEMORY"), extra("DISK"), extra("CREATED"), copied("URL")},
        rows);
    if (context.output() == OutputFormat::Table) reportDetails(context, instances);
    return kDone;
  }

 private:
  ListOptions options_;
  std::string status_, provider_;
  std::vector<std::string> labels_;
};

}  // namespace

void addList(const AddVerb& add) {
  add({.name = "list", .summary = "List workspaces", .examples = {"swarm list --status running -o json"}, .aliases = {"ls", "ps"}},
      std::make_unique<List>());
}

}  // namespace swarm::cli
