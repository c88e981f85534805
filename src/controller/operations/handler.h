// OperationHandler: what one kind of operation does. Each kind is one class in one file of this folder; table.cc lists them.
#pragma once

#include "controller/state/active_operation.h"

namespace swarm::control {

class Lifecycle;
class Migration;
class Places;

/// What the handlers work with.
struct OperationTools {
  const Context& context;
  Lifecycle& lifecycle;
  Places& places;
  Migration& migration;
};

class OperationHandler {
 public:
  OperationHandler() = default;
  virtual ~OperationHandler() = default;
  OperationHandler(const OperationHandler&) = delete;
  OperationHandler& operator=(const OperationHandler&) = delete;

  virtual OperationKind kind() const = 0;

  /// Does the work. After a crash it runs again from its beginning and finds what the earlier run created. Throws when it fails.
  virtual awaitable<void> perform(ActivePtr operation) = 0;
  /// After perform() failed: rolls back, or describes what exists, and sets the final state of the instance. `error`: Cancelled when a user
  /// cancelled the operation.
  virtual awaitable<void> undo(ActivePtr operation, Error error) = 0;

  /// A request of this kind is a duplicate of `running`, the operation in progress, and joins it.
  virtual bool joins(const Operation& running) const { return running.kind == kind(); }
  /// A request of this kind replaces any other operation in progress; otherwise it is refused while there is one.
  virtual bool supersedes() const { return false; }
  /// Its result when a crash followed the deletion of its instance's row.
  virtual OperationStatus statusWithoutInstance() const { return OperationStatus::cancelled; }
  /// The places (besides the instance's own) that must stay while the operation is in progress.
  virtual std::vector<PlaceId> places(const OperationParameters&) const { return {}; }
  /// What it may make places hold: reserved before it begins, and until it ends.
  virtual PlacedClaims needs(const Entry&, const OperationParameters&) const { return {}; }
};

/// The handler of the kind with these parameters.
template <typename Parameters>
class HandlerOf : public OperationHandler {
 public:
  explicit HandlerOf(const OperationTools& tools) : tools_(tools), context_(tools.context), lifecycle_(tools.lifecycle) {}
  OperationKind kind() const final { return Parameters::kind; }
  std::vector<PlaceId> places(const OperationParameters& parameters) const final { return placesOf(std::get<Parameters>(parameters)); }
  PlacedClaims needs(const Entry& entry, const OperationParameters& parameters) const final {
    return needsOf(entry, std::get<Parameters>(parameters));
  }

 protected:
  virtual std::vector<PlaceId> placesOf(const Parameters&) const { return {}; }
  virtual PlacedClaims needsOf(const Entry&, const Parameters&) const { return {}; }
  static Parameters& parametersOf(const ActivePtr& operation) { return operation->parameters<Parameters>(); }

  const OperationTools tools_;
  const Context& context_;
  Lifecycle& lifecycle_;
};

}  // namespace swarm::control
