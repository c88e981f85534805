// Lifecycle: a changed configuration that needs the instance to be made anew.
#include "base/format.h"
#include "base/log.h"
#include "controller/agent_watch.h"
#include "controller/lifecycle.h"
#include "controller/reconcile.h"
#include "controller/retrying.h"
#include "model/codec.h"

namespace swarm::control {
awaitable<void> Lifecycle::update(ActivePtr operation) {
  EntryPtr entry = operation->entry;
  const UpdateParameters& parameters = operation->parameters<UpdateParameters>();
  operation->cancellable = false;
  entry->instance().config = parameters.config;
  entry->instance().version = parameters.version;
  co_await replace(operation);
}

/// The provider's replaceInstance, or createInstance when somebody removed the container meanwhile.
awaitable<ProviderInstance> Lifecycle::remake(ActivePtr operation, Deadline deadline) {
  Provider& provider = core_.providerOf(*operation->entry);
  std::optional<Error> failure;
  try {
    InstanceSpec spec = core_.specOf(*operation->entry);
    spec.newestImage = operation->parameters<UpdateParameters>().refreshImage;
    co_return co_await provider.replaceInstance(std::move(spec), *operation, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure->code() != ErrorCode::NotFound) throw *failure;
  ProviderInstance made = co_await provider.createInstance(core_.specOf(*operation->entry), *operation, deadline);
  if (operation->parameters<UpdateParameters>().wasRunning) co_return made;
  co_await provider.stopInstance(operation->entry->placeId(), core_.options.stopGrace, *operation, deadline);
  made.status = InstanceStatus::stopped;
  co_return made;
}

/// Makes the container anew for the configuration in force; leaves it as it was, running or stopped.
awaitable<void> Lifecycle::replace(ActivePtr operation) {
  EntryPtr entry = operation->entry;
  bool was_running = operation->parameters<UpdateParameters>().wasRunning;
  core_.setStatus(*entry, was_running ? InstanceStatus::starting : InstanceStatus::stopping, "");
  core_.breakConnections(*entry);
  std::function<awaitable<ProviderInstance>()> call = [this, operation, entry, was_running]() -> awaitable<ProviderInstance> {
    Provider& provider = core_.providerOf(*entry);
    Deadline deadline = Deadline::after(core_.options.createTimeout);
    ProviderInstance made = co_await remake(operation, deadline);
    operation->fault("replaced");
    if (!was_running || made.status == InstanceStatus::running) co_return made;
    // An interrupted call had removed the old container already, and so did not know any more that it ran.
    co_await provider.startInstance(entry->placeId(), *operation, deadline);
    auto observed = co_await provider.getInstance(entry->placeId(), deadline);
    if (!observed) throw Error(ErrorCode::UpstreamFailed, "Its container was removed while it started.");
    co_return std::move(*observed);
  };
  ProviderInstance made = co_await retrying<ProviderInstance>(operation, Patience::Bounded, call);
  operation->fault("made");
  reconciler_->adoptFacts(*entry, made);
  if (was_running) {
    co_await bringUpOrFail(operation);
  } else {
    core_.setStatus(*entry, InstanceStatus::stopped, "");
  }
}

awaitable<void> Lifecycle::undoUpdate(ActivePtr operation, Error error) {
  EntryPtr entry = operation->entry;
  std::optional<Error> failure;
  try {
    operation->step(Step::RestoreConfiguration);
    entry->instance().config = operation->parameters<UpdateParameters>().previous;
    ++entry->instance().version;
    operation->parameters<UpdateParameters>().refreshImage = false;
    co_await replace(operation);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;
  if (failure) {
    core_.breakConnections(*entry);
    core_.setStatus(*entry, InstanceStatus::failed,
                    format("A changed configuration could not be applied ({}), nor the last one: {}", error.message(), failure->message()));
    co_return;
  }
  core_.setStatus(*entry, entry->instance().status, format("The last change was taken back: {}", error.message()));
}

}  // namespace swarm::control
