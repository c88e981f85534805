// Update: applies a configuration that requires another container.
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"
#include "controller/state/facts.h"

namespace swarm::control {
namespace {

class Update final : public HandlerOf<UpdateParameters> {
 public:
  using HandlerOf::HandlerOf;

  /// Each request has a change of its own.
  bool joins(const Operation&) const override { return false; }

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    const UpdateParameters& parameters = parametersOf(operation);
    operation->cancellable = false;
    entry->instance().config = parameters.config;
    entry->instance().version = parameters.version;
    co_await replace(operation);
  }

  awaitable<void> undo(ActivePtr operation, Error error) override {
    EntryPtr entry = operation->entry;
    operation->step(Step::RestoreConfiguration);
    entry->instance().config = parametersOf(operation).previous;
    ++entry->instance().version;
    parametersOf(operation).refreshImage = false;
    auto restored = co_await attemptUnlessCancelled(replace(operation));
    if (!restored) {
      context_.routes.breakConnections(*entry);
      context_.changes.setStatus(*entry, InstanceStatus::failed,
                                 format("The new configuration could not be applied ({}), and neither could the previous one: {}",
                                        error.message(), restored.error().message()));
      co_return;
    }
    context_.changes.setStatus(*entry, entry->instance().status, format("The last change was rolled back: {}", error.message()));
  }

 private:
  /// With the new configuration, and the previous one to roll back to.
  PlacedClaims needsOf(const Entry& entry, const UpdateParameters& parameters) const override {
    const Instance& instance = entry.record.instance;
    const Runs runs = parameters.wasRunning ? Runs::Yes : Runs::No;
    PlacedClaims claims;
    for (const InstanceConfig* config : {&parameters.config, &parameters.previous})
      claims.push_back({entry.placeId(), context_.limits.planned(instance.provider, instance.region, instance.owner, *config, runs)});
    return claims;
  }

  /// The provider's replaceInstance, or createInstance when the container was removed outside of swarm.
  awaitable<ProviderInstance> remake(ActivePtr operation, Deadline deadline) {
    Provider& provider = context_.providers.of(*operation->entry);
    InstanceSpec spec = specOf(context_, *operation->entry);
    spec.newestImage = parametersOf(operation).refreshImage;
    auto replaced = co_await attempt(provider.replaceInstance(std::move(spec), *operation, deadline));
    if (replaced) co_return std::move(*replaced);
    if (replaced.error().code() != ErrorCode::NotFound) throw replaced.error();
    ProviderInstance made = co_await provider.createInstance(specOf(context_, *operation->entry), *operation, deadline);
    if (parametersOf(operation).wasRunning) co_return made;
    co_await provider.stopInstance(operation->entry->placeId(), context_.options.stopGrace, *operation, deadline);
    made.status = InstanceStatus::stopped;
    co_return made;
  }

  /// Replaces the container with one of the current configuration, running or stopped as before.
  awaitable<void> replace(ActivePtr operation) {
    EntryPtr entry = operation->entry;
    bool was_running = parametersOf(operation).wasRunning;
    context_.changes.setStatus(*entry, was_running ? InstanceStatus::starting : InstanceStatus::stopping, "");
    context_.routes.breakConnections(*entry);
    auto call = [this, operation, entry, was_running]() -> awaitable<ProviderInstance> {
      Provider& provider = context_.providers.of(*entry);
      Deadline deadline = Deadline::after(context_.options.createTimeout);
      ProviderInstance made = co_await remake(operation, deadline);
      operation->fault("replaced");
      if (!was_running || made.status == InstanceStatus::running) co_return made;
      // An interrupted call may have removed the old container, and with it the fact that it ran.
      co_await provider.startInstance(entry->placeId(), *operation, deadline);
      auto observed = co_await provider.getInstance(entry->placeId(), deadline);
      if (!observed) throw Error(ErrorCode::UpstreamFailed, "The container was removed while it started.");
      co_return std::move(*observed);
    };
    ProviderInstance made = co_await lifecycle_.retrying(operation, call);
    operation->fault("made");
    adoptFacts(context_, *entry, made);
    if (was_running) {
      co_await lifecycle_.bringUpOrFail(operation);
    } else {
      context_.changes.setStatus(*entry, InstanceStatus::stopped, "");
    }
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeUpdate(const OperationTools& tools) { return std::make_unique<Update>(tools); }

}  // namespace swarm::control
