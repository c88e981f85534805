// Gates and planned failures of the fake provider.
#include "provider/fake/fault_plan.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace swarm::fake {
namespace {

using Timer = boost::asio::steady_timer;

/// A waiter's place in a queue; left whenever its frame ends, also when its loop is destroyed first.
class Place {
 public:
  Place(std::list<Timer*>& queue, Timer& timer) : queue_(queue), timer_(timer) { queue_.push_back(&timer_); }
  ~Place() { queue_.remove(&timer_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::list<Timer*>& queue_;
  Timer& timer_;
};

void wakeAll(std::list<Timer*>& timers) {
  for (Timer* timer : timers) timer->cancel();
}

}  // namespace

awaitable<void> Gate::waitFor(std::list<Timer*>& queue, const bool& done) {
  if (done) co_return;
  Timer timer(co_await boost::asio::this_coro::executor, Timer::time_point::max());
  Place place(queue, timer);
  while (!done) {
    try {
      co_await timer.async_wait(boost::asio::use_awaitable);
    } catch (const boost::system::system_error&) {
      if (!done) throw;  // the caller was cancelled
    }
  }
}

awaitable<void> Gate::wait() {
  reached_ = true;
  wakeAll(watching_);
  co_await waitFor(waiting_, open_);
}

awaitable<void> Gate::reached() { co_await waitFor(watching_, reached_); }

void Gate::open() {
  open_ = true;
  wakeAll(waiting_);
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
