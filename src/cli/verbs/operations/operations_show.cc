// `swarm operations show`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

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

}  // namespace

VerbPtr makeOperationsShow() { return std::make_unique<OperationsShow>(); }

}  // namespace swarm::cli
