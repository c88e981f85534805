// OperationTable: every kind of operation that the server performs.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "controller/operations/handler.h"

namespace swarm::control {

/// One for each kind, in the file named after it.
using OperationFactory = std::unique_ptr<OperationHandler>(const OperationTools& tools);
OperationFactory makeCreate, makeStart, makeStop, makeRestart, makeUpdate, makeRemove, makeMigrate, makeSnapshot, makeRestore;
inline constexpr std::array kOperationFactories{makeCreate, makeStart,   makeStop,     makeRestart, makeUpdate,
                                                makeRemove, makeMigrate, makeSnapshot, makeRestore};

class OperationTable {
 public:
  explicit OperationTable(const OperationTools& tools);
  OperationHandler& of(OperationKind kind) const { return *handlers_.at(kind); }

 private:
  std::map<OperationKind, std::unique_ptr<OperationHandler>> handlers_;
};

}  // namespace swarm::control
