// `swarm operations` and its parts
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

std::string elapsed(const Operation& operation) {
  if (operation.endedAt.time_since_epoch().count() == 0) return "-";
  return format("{:.2f} s", static_cast<double>((operation.endedAt - operation.createdAt).count()) / 1000.0);
}

class Operations final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--workspace,--instance", query_.instance, "Only operations of this workspace").suggest(workspaceNames());
    arguments.option("--status", status_, "Only operations with this status, like running or failed")
        .suggest(enumValues<OperationStatus>());
  }

  int run(Context& context) override {
    query_.status = parseEnum<OperationStatus>(status_, "--status");
    const std::vector<Operation> operations = context.client().listOperations(query_);
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
  ListOperationsQuery query_{.limit = 50};
  std::string status_;
};

int showOperation(Context& context, const std::string& id) {
  const auto operation = context.client().getOperation(id);
  if (!operation) throw Error(ErrorCode::NotFound, format("There is no operation \"{}\". Run `swarm operations` to list them.", id));
  if (!printStructured(context, toJson(*operation))) print(toYaml(toJson(*operation)));
  return kDone;
}

int followOperation(Context& context, const std::string& id) {
  waitWithProgress(context, id, kLongWait);
  return kDone;
}

int cancelOperation(Context& context, const std::string& id) {
  const Operation operation = context.client().cancelOperation(id);
  if (!printStructured(context, toJson(operation))) report(format("{} is {}.\n", id, enumName(operation.status)));
  return kDone;
}

}  // namespace

void addOperations(const AddVerb& add) {
  const Word id{"id", "Operation id", operationIds()};
  add({.name = "operations",
       .summary = "List operations; show, follow, cancel",
       .examples = {"swarm operations --workspace web1", "swarm operations show op-…"}},
      std::make_unique<Operations>());
  add({.name = "operations show", .summary = "Show one operation with its steps", .examples = {"swarm operations show op-…"}},
      wordVerb(id, showOperation));
  add({.name = "operations follow",
       .summary = "Show the progress of an operation until it ends",
       .examples = {"swarm operations follow op-…"}},
      wordVerb(id, followOperation));
  add({.name = "operations cancel",
       .summary = "Cancel an operation, where that is still possible",
       .examples = {"swarm operations cancel op-…"}},
      wordVerb(id, cancelOperation));
}

}  // namespace swarm::cli
