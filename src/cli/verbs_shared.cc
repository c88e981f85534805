// See verbs_shared.h.
#include "cli/verbs_shared.h"

#include "cli/output.h"
#include "cli/quantities.h"

namespace swarm::cli {

void applyResources(const ResourceFlags& flags, ResourceConfig& resources) {
  if (flags.cpus) {
    resources.cpu.cores = *flags.cpus;
    resources.cpu.limit = 0;  // follows the cores
  }
  if (!flags.memory.empty()) resources.memory.max = parseMemory(flags.memory);
  if (!flags.memoryMin.empty()) resources.memory.min = parseMemory(flags.memoryMin);
  if (flags.disk) resources.storage.size = *flags.disk;
  if (flags.pids) resources.pids = *flags.pids;
}

void printResult(Context& context, const Instance& instance) {
  if (printStructured(context, toJson(instance))) return;
  if (context.output() == OutputFormat::Name) {
    print(instance.config.name + "\n");
  } else if (instance.status == InstanceStatus::running && !instance.url.empty()) {
    print(instance.url + "\n");
  }
}

Instance reload(Context& context, const Instance& instance) { return context.client().getInstance(instance.id).value_or(instance); }

}  // namespace swarm::cli
