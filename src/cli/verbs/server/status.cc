// `swarm status`
#include "cli/verbs/table.h"
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

class Status final : public Verb {
 public:
  Status() : Verb({.name = "status", .summary = "Show totals of the swarm, and its providers", .examples = {"swarm status"}}) {}

  int run(Context& context) override {
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
};

}  // namespace

VerbPtr makeStatus() { return std::make_unique<Status>(); }

}  // namespace swarm::cli
