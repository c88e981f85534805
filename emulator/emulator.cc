// Emulator: the parts behind the public header.
#include "emulator/emulator.h"

#include <algorithm>

#include "base/error.h"
#include "emulator/rules/core.h"
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

std::chrono::milliseconds* TransitionTimes::named(std::string_view name) {
  using Time = std::chrono::milliseconds TransitionTimes::*;
  static constexpr std::pair<std::string_view, Time> kNames[] = {{"launch", &TransitionTimes::launch},
                                                                 {"start", &TransitionTimes::start},
                                                                 {"stop", &TransitionTimes::stop},
                                                                 {"suspend", &TransitionTimes::suspend},
                                                                 {"update", &TransitionTimes::update},
                                                                 {"destroy", &TransitionTimes::destroy},
                                                                 {"stop_settle", &TransitionTimes::stopSettle},
                                                                 {"volume_unbind", &TransitionTimes::volumeUnbind},
                                                                 {"volume_hydrate", &TransitionTimes::volumeHydrate},
                                                                 {"app_propagation", &TransitionTimes::appPropagation},
                                                                 {"machine_propagation", &TransitionTimes::machinePropagation},
                                                                 {"destroyed_visible", &TransitionTimes::destroyedVisible},
                                                                 {"restart_delay", &TransitionTimes::restartDelay}};
  const auto found = std::ranges::find(kNames, name, &std::pair<std::string_view, Time>::first);
  return found == std::end(kNames) ? nullptr : &(this->*found->second);
}

Emulator::Emulator(async::Executor executor, const Clock& clock, EmulatorOptions options, BackendPtr backend) {
  if (options.regions.empty()) throw Error(ErrorCode::InvalidArgument, "The emulator needs at least one region.");
  core_ = std::make_shared<Core>(std::move(executor), clock, std::move(options), std::move(backend));
}

awaitable<void> Emulator::open() {
  Core& core = *core_;
  core.journal.load(core.world);
  co_await core.backend->open([weak = std::weak_ptr(core_)](const GuestExit& exit) {
    if (auto alive = weak.lock()) onGuestExit(*alive, exit);
  });
  co_await recover(core);
}

awaitable<void> Emulator::close() {
  Core& core = *core_;
  co_await core.background.stop();
  co_await core.backend->close();
  co_await core.journal.flush();
}

void Emulator::onEdgeServicesChanged(std::function<void()> listener) { core_->servicesListener = std::move(listener); }
void Emulator::addToState(std::function<void(boost::json::object& state)> contributor) {
  core_->stateContributors.push_back(std::move(contributor));
}
void Emulator::addFault(const boost::json::object& fault) { core_->faults.add(fault); }
void Emulator::clearFaults() { core_->faults.clear(); }
Backend& Emulator::backend() { return *core_->backend; }

}  // namespace swarm::emulator
