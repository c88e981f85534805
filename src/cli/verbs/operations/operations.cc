// `swarm operations` and its parts
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
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
    arguments.option("--workspace,--instance", query_.instance, "Only operations of this workspace").suggest(workspaceNames());
    arguments.option("--status", status_, "Only operations with this status, like running or failed")
        .suggest({.words = {"pending", "running", "succeeded", "failed", "cancelled"}});
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

class OperationsShow final : public Verb {
 public:
  OperationsShow()
      : Verb({.name = "operations show", .summary = "Show one operation with its steps", .examples = {"swarm operations show op-…"}}) {}

  void declare(Arguments& arguments) override { arguments.word("id", id_, "Operation id").suggest(operationIds()); }

  int run(Context& context) override {
    const auto operation = context.client().getOperation(id_);
    if (!operation) throw Error(ErrorCode::NotFound, format("There is no operation \"{}\". Run `swarm operations` to list them.", id_));
    if (!printStructured(context, toJson(*operation))) print(toYaml(toJson(*operation)));
    return kDone;
  }

 private:
  std::string id_;
};

class OperationsFollow final : public Verb {
 public:
  OperationsFollow()
      : Verb({.name = "operations follow",
              .summary = "Show the progress of an operation until it ends",
              .examples = {"swarm operations follow op-…"}}) {}

  void declare(Arguments& arguments) override { arguments.word("id", id_, "Operation id").suggest(operationIds()); }

  int run(Context& context) override {
    waitWithProgress(context, id_, kLongWait);
    return kDone;
  }

 private:
  std::string id_;
};

class OperationsCancel final : public Verb {
 public:
  OperationsCancel()
      : Verb({.name = "operations cancel",
              .summary = "Cancel an operation, where that is still possible",
              .examples = {"swarm operations cancel op-…"}}) {}

  void declare(Arguments& arguments) override { arguments.word("id", id_, "Operation id").suggest(operationIds()); }

  int run(Context& context) override {
    const Operation operation = context.client().cancelOperation(id_);
    if (!printStructured(context, toJson(operation))) report(format("{} is {}.\n", id_, enumName(operation.status)));
    return kDone;
  }

 private:
  std::string id_;
};

}  // namespace

VerbPtr makeOperations() { return std::make_unique<Operations>(); }
VerbPtr makeOperationsShow() { return std::make_unique<OperationsShow>(); }
VerbPtr makeOperationsFollow() { return std::make_unique<OperationsFollow>(); }
VerbPtr makeOperationsCancel() { return std::make_unique<OperationsCancel>(); }

}  // namespace swarm::cli
