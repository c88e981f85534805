#include "provider/fake/fault_plan.h"

namespace swarm::fake {

awaitable<void> Gate::wait() {
  reached_ = true;
  changed_.notifyAll();
  while (!open_) co_await changed_.wait(changed_.version(), Deadline::never());
}

awaitable<void> Gate::reached() {
  while (!reached_) co_await changed_.wait(changed_.version(), Deadline::never());
}

void Gate::open() {
  open_ = true;
  changed_.notifyAll();
}

void FaultPlan::fail(std::string point, Error error, int times, int skip) {
  std::lock_guard lock(mutex_);
  failures_[std::move(point)].push_back(Failure{std::move(error), times, skip});
}

std::shared_ptr<Gate> FaultPlan::block(std::string point) {
  std::lock_guard lock(mutex_);
  auto gate = std::make_shared<Gate>();
  gates_[std::move(point)] = gate;
  return gate;
}

void FaultPlan::clear() {
  std::lock_guard lock(mutex_);
  failures_.clear();
  gates_.clear();
  passes_.clear();
}

int FaultPlan::passes(const std::string& point) const {
  std::lock_guard lock(mutex_);
  auto found = passes_.find(point);
  return found == passes_.end() ? 0 : found->second;
}

awaitable<void> FaultPlan::pass(std::string point) {
  std::shared_ptr<Gate> gate;
  {
    std::lock_guard lock(mutex_);
    ++passes_[point];
    if (auto found = gates_.find(point); found != gates_.end()) gate = found->second;
  }
  if (gate) co_await gate->wait();
  std::lock_guard lock(mutex_);
  auto planned = failures_.find(point);
  if (planned == failures_.end()) co_return;
  for (Failure& failure : planned->second) {
    if (failure.times <= 0) continue;
    if (failure.skip > 0) {
      --failure.skip;
      continue;
    }
    --failure.times;
    throw failure.error;
  }
}

}  // namespace swarm::fake
