// Emulator: the parts behind the public header.
#include "emulator/emulator.h"

#include <algorithm>

#include "base/error.h"
#include "emulator/rules/core.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

using namespace std::chrono_literals;

namespace {

struct TimeRow {
  std::string_view name;
  std::chrono::milliseconds TransitionTimes::* time;
  std::chrono::milliseconds likeFly;
};

constexpr TimeRow kTimes[] = {{"launch", &TransitionTimes::launch, 150ms},
                              {"start", &TransitionTimes::start, 250ms},
                              {"stop", &TransitionTimes::stop, 200ms},
                              {"suspend", &TransitionTimes::suspend, 300ms},
                              {"update", &TransitionTimes::update, 300ms},
                              {"destroy", &TransitionTimes::destroy, 200ms},
                              {"stop_settle", &TransitionTimes::stopSettle, 300ms},
                              {"volume_unbind", &TransitionTimes::volumeUnbind, 1500ms},
                              {"volume_hydrate", &TransitionTimes::volumeHydrate, 1000ms},
                              {"app_propagation", &TransitionTimes::appPropagation, 500ms},
                              {"machine_propagation", &TransitionTimes::machinePropagation, 200ms},
                              {"destroyed_visible", &TransitionTimes::destroyedVisible, 60'000ms},
                              {"restart_delay", &TransitionTimes::restartDelay, 500ms}};

}  // namespace

TransitionTimes TransitionTimes::likeFly() {
  TransitionTimes times;
  for (const TimeRow& row : kTimes) times.*row.time = row.likeFly;
  return times;
}

std::chrono::milliseconds* TransitionTimes::named(std::string_view name) {
  const auto found = std::ranges::find(kTimes, name, &TimeRow::name);
  return found == std::end(kTimes) ? nullptr : &(this->*found->time);
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
