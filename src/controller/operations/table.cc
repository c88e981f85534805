// OperationTable: one handler per kind.
#include "controller/operations/table.h"

namespace swarm::control {

static_assert(kOperationFactories.size() == std::variant_size_v<OperationParameters>, "each kind has a handler");

OperationTable::OperationTable(const OperationTools& tools) {
  for (OperationFactory* make : kOperationFactories) {
    auto handler = make(tools);
    OperationKind kind = handler->kind();
    handlers_[kind] = std::move(handler);
  }
}

}  // namespace swarm::control
