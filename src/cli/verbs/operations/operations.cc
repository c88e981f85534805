// `swarm operations`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

std::string elapsed(const Operation& operation) {
  if (operation.endedAt.time_since_epoch().count() == 0) return "-";
  return format("{:.2f} s", static_cast<double>((operation.endedAt - operation.createdAt).count()) / 1000.0);
}

class Operations final : public Verb {
 public:
  Operations()
      : Verb({.name = "operations",
              .summary = "List operations; show, follow, cancel",
              .examples = {"swarm operations --workspace web1", "swarm operations show op-…"}}) {}

  void declare(Arguments& arguments) override {
    arguments.option("--workspace,--instance", instance_, "Only operations of this workspace").suggest(workspaceNames());
  }

  int run(Context& context) override {
    const std::vector<Operation> operations = context.client().listOperations(instance_);
    std::vector<Listed> rows;
    for (const Operation& one : operations) {
      rows.push_back({one.id,
                      {one.id, std::string(enumName(one.kind)), one.instanceName, std::string(enumName(one.status)), ago(one.createdAt),
                       elapsed(one), one.error ? one.error->message() : ""}});
    }
    printList(context, toJson(operations), {copied("ID"), "KIND", copied("WORKSPACE"), "STATUS", extra("BEGAN"), extra("TOOK"), "ERROR"},
              rows);
    return kDone;
  }

 private:
  std::string instance_;
};

}  // namespace

VerbPtr makeOperations() { return std::make_unique<Operations>(); }

}  // namespace swarm::cli
