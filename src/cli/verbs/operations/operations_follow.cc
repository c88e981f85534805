// `swarm operations follow`
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

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

}  // namespace

VerbPtr makeOperationsFollow() { return std::make_unique<OperationsFollow>(); }

}  // namespace swarm::cli
