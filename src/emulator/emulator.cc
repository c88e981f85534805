// Skeleton: the rules follow in the next commits.
#include "emulator/emulator.h"

#include "base/error.h"

namespace swarm::emulator {

struct Emulator::Impl {
  EmulatorOptions options;
  BackendPtr backend;
};

Emulator::Emulator(net::Executor, const Clock&, EmulatorOptions options, BackendPtr backend)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(backend))) {}
Emulator::~Emulator() = default;
awaitable<void> Emulator::open() { throw Error(ErrorCode::Unsupported, "The emulator's rules are not written yet."); }
awaitable<void> Emulator::close() { co_return; }
awaitable<void> Emulator::handle(net::Exchange&) { throw Error(ErrorCode::Unsupported, "The emulator's rules are not written yet."); }
awaitable<std::expected<EdgeTarget, EdgeRefusal>> Emulator::findEdgeTarget(EdgeQuery) {
  co_return std::unexpected(EdgeRefusal{503, "not written yet"});
}
std::vector<EdgeService> Emulator::edgeServices() const { return {}; }
void Emulator::onEdgeServicesChanged(std::function<void()>) {}
void Emulator::addToState(std::function<void(boost::json::object&)>) {}
void Emulator::addFault(const boost::json::object&) {}
void Emulator::clearFaults() {}
Backend& Emulator::backend() { return *impl_->backend; }

}  // namespace swarm::emulator
