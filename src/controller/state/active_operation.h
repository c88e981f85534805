// ActiveOperation: an operation in progress: live progress in memory, steps to the store in the background, external ids at once.
#pragma once

#include <boost/asio/cancellation_signal.hpp>

#include "controller/limits/limits.h"
#include "controller/state/context.h"

namespace swarm::control {

enum class StopReason { None, User, Superseded, Shutdown };

class OperationHandler;
class ActiveOperation;
using ActivePtr = std::shared_ptr<ActiveOperation>;

/// The provider reports its progress to it.
class ActiveOperation final : public Progress, public std::enable_shared_from_this<ActiveOperation> {
 public:
  ActiveOperation(const Context& context, OperationHandler& does, OperationRecord started, EntryPtr target)
      : record(std::move(started)), entry(std::move(target)), handler(does), context_(context) {}

  OperationRecord record;
  /// Those of its kind, which the caller has to know.
  template <typename Parameters>
  Parameters& parameters() {
    return std::get<Parameters>(record.parameters);
  }

  EntryPtr entry;
  Reservation reservation;    ///< of what it may make its places hold
  OperationHandler& handler;  ///< of its kind
  bool cancellable = true;
  bool resumed = false;         ///< started by an earlier run of the server
  bool isUnresponsive = false;  ///< it failed because VS Code did not respond in a running container: there is nothing to undo
  StopReason stop = StopReason::None;
  bool hasEnded = false;
  boost::asio::cancellation_signal signal;
  Notifier ended;

  awaitable<void> recorded(ExternalResource resource) override;
  void step(Step step) override;
  void detail(std::string text, std::int64_t bytes_done = 0, std::int64_t bytes_total = 0) override;

  /// Those that must stay while it is in progress.
  std::vector<PlaceId> places() const;
  /// "controller.<kind>.<step>": a fault point of this operation.
  void fault(std::string_view step) const;
  /// Ends the step in progress.
  void endStep(OperationStatus status);
  void cancel(StopReason reason);
  /// Waits until the write in the background, if there is one, has ended.
  awaitable<void> settle();

 private:
  awaitable<void> save();

  const Context& context_;
  bool saving_ = false;
  bool save_again_ = false;
  Notifier saved_;
  SteadyTime reported_{};
};

/// The operations in progress, and how many have ended.
class ActiveOperations {
 public:
  using EndedOperations = SwarmController::EndedOperations;

  const std::map<std::string, ActivePtr>& all() const { return active_; }                     ///< by id
  ActivePtr find(const std::string& id) const;                                                ///< null when it is not in progress
  ActivePtr of(const Entry& entry) const { return find(entry.record.instance.operationId); }  ///< the newest of an instance, or null
  void add(const ActivePtr& operation) { active_[operation->record.id] = operation; }
  void remove(const std::string& id) { active_.erase(id); }
  void close() { closing_ = true; }
  bool isClosing() const { return closing_; }

  Notifier ended;          ///< an operation has ended
  EndedOperations counts;  ///< since the server's start

 private:
  std::map<std::string, ActivePtr> active_;
  bool closing_ = false;
};

}  // namespace swarm::control
