// `swarm operations cancel`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

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

VerbPtr makeOperationsCancel() { return std::make_unique<OperationsCancel>(); }

}  // namespace swarm::cli
