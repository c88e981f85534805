// Emulator: the parts behind the public header.
#include "emulator/emulator.h"
#include "async/awaitable.h"

#include "base/error.h"
#include "emulator/api/dispatch.h"
#include "emulator/rules/core.h"
#include "emulator/rules/edge_lookup.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

TransitionTimes TransitionTimes::likeFly() {
  using std::chrono::milliseconds;
  return {.launch = milliseconds(150),
          .start = milliseconds(250),
          .stop = milliseconds(200),
          .suspend = milliseconds(300),
          .update = milliseconds(300),
          .destroy = milliseconds(200),
          .stopSettle = milliseconds(300),
          .volumeUnbind = milliseconds(1500),
          .volumeHydrate = milliseconds(1000),
          .appPropagation = milliseconds(500),
          .machinePropagation = milliseconds(200),
          .restartDelay = milliseconds(500),
          .backendRetry = milliseconds(1000)};
}

struct Emulator::Impl {
  std::shared_ptr<Core> core;
};

Emulator::Emulator(async::Executor executor, const Clock& clock, EmulatorOptions options, BackendPtr backend)
    : impl_(std::make_shared<Impl>()) {
  if (options.regions.empty()) throw Error(ErrorCode::InvalidArgument, "The emulator needs at least one region.");
  impl_->core = std::make_shared<Core>(std::move(executor), clock, std::move(options), std::move(backend));
}
Emulator::~Emulator() = default;

awaitable<void> Emulator::open() {
  Core& core = *impl_->core;
  core.journal.load(core.world);
  co_await core.backend->open([weak = std::weak_ptr(impl_->core)](const GuestExit& exit) {
    if (auto alive = weak.lock()) onGuestExit(*alive, exit);
  });
  co_await recover(core);
}

awaitable<void> Emulator::close() {
  Core& core = *impl_->core;
  co_await core.background.stop();
  co_await core.backend->close();
  co_await core.journal.flush();
}

awaitable<void> Emulator::handle(net::Exchange& exchange) { co_await dispatch(*impl_->core, exchange); }

awaitable<std::expected<EdgeTarget, EdgeRefusal>> Emulator::findEdgeTarget(EdgeQuery query) {
  co_return co_await lookUpEdgeTarget(*impl_->core, std::move(query));
}
std::vector<EdgeService> Emulator::edgeServices() const { return listEdgeServices(*impl_->core); }
std::vector<EdgeService> Emulator::edgeServicesOf(const std::string& app) const { return listEdgeServicesOf(*impl_->core, app); }
void Emulator::onEdgeServicesChanged(std::function<void()> listener) { impl_->core->servicesListener = std::move(listener); }
void Emulator::addToState(std::function<void(boost::json::object& state)> contributor) {
  impl_->core->stateContributors.push_back(std::move(contributor));
}
void Emulator::addFault(const boost::json::object& fault) { impl_->core->faults.add(fault); }
void Emulator::clearFaults() { impl_->core->faults.clear(); }
Backend& Emulator::backend() { return *impl_->core->backend; }

}  // namespace swarm::emulator
