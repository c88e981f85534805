// `swarm usage`
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

class Usage final : public Verb {
 public:
  Usage() : Verb({.name = "usage", .summary = "Show CPU, memory and storage in use", .examples = {"swarm usage web1"}}) {}

  void declare(Arguments& arguments) override { arguments.word("name", name_, "Name or id").suggest(workspaceNames()); }

  int run(Context& context) override {
    const ResourceUsage usage = context.client().getResourceUsage(name_);
    if (printStructured(context, toJson(usage))) return kDone;
    Table table({"CPU", "CPU LIMIT", "MEMORY", "MEMORY LIMIT", "STORAGE", "STORAGE LIMIT"});
    table.add({format("{:.1f} %", usage.cpu.usage), format("{} m", usage.cpu.limit), format("{:.0f} MiB", usage.memory.usage),
               format("{:.0f} MiB", usage.memory.limit), format("{:.2f} GiB", usage.storage.usage),
               format("{:.0f} GiB", usage.storage.limit)});
    print(table.render(context.columns(), context.colour()));
    return kDone;
  }

 private:
  std::string name_;
};

}  // namespace

VerbPtr makeUsage() { return std::make_unique<Usage>(); }

}  // namespace swarm::cli
