// `swarm usage`
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {

void addUsage(const AddVerb& add) {
  add({.name = "usage", .summary = "Show CPU, memory and storage in use", .examples = {"swarm usage web1"}},
      wordVerb({"name", "Name or id", workspaceNames()}, [](Context& context, const std::string& name) {
        const ResourceUsage usage = context.client().getResourceUsage(name);
        if (printStructured(context, toJson(usage))) return kDone;
        Table table({"CPU", "CPU LIMIT", "MEMORY", "MEMORY LIMIT", "STORAGE", "STORAGE LIMIT"});
        table.add({format("{:.1f} %", usage.cpu.usage), format("{} m", usage.cpu.limit), format("{:.0f} MiB", usage.memory.usage),
                   format("{:.0f} MiB", usage.memory.limit), format("{:.2f} GiB", usage.storage.usage),
                   format("{:.0f} GiB", usage.storage.limit)});
        print(table.render(context.columns(), context.colour()));
        return kDone;
      }));
}

}  // namespace swarm::cli
