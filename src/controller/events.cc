// EventBus: a bounded ring of events and the loops that wait for the next one.
#include "controller/events.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <mutex>

namespace swarm {
namespace {

constexpr std::size_t kRemembered = 4096;
using Timer = boost::asio::steady_timer;

}  // namespace

struct EventBus::Impl {
  mutable std::mutex mutex;
  std::deque<Event> events;
  std::uint64_t last = 0;
  std::map<Timer*, std::weak_ptr<Timer>> waiting;

  /// What is remembered after `id`; a single "reset" when something between is forgotten or `id` is of another life of the server.
  std::vector<Event> since(std::uint64_t id) const {
    std::vector<Event> found;
    std::uint64_t first = last - events.size() + 1;
    if (id > last || id + 1 < first) {
      found.push_back(Event{last, "reset", "", {}});
      return found;
    }
    for (std::size_t i = id + 1 - first; i < events.size(); ++i) found.push_back(events[i]);
    return found;
  }
};

namespace {

/// A waiter's place; left however its frame ends. Whoever posts to its loop does so under the mutex, so the loop can't die before that.
template <typename Impl>
class Place {
 public:
  Place(std::shared_ptr<Impl> impl, const std::shared_ptr<Timer>& timer) : impl_(std::move(impl)), timer_(timer.get()) {
    impl_->waiting.emplace(timer_, timer);  // under the caller's lock
  }
  ~Place() {
    std::lock_guard lock(impl_->mutex);
    impl_->waiting.erase(timer_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::shared_ptr<Impl> impl_;
  Timer* timer_;
};

}  // namespace

EventBus::EventBus() : impl_(std::make_shared<Impl>()) {}
EventBus::~EventBus() = default;

void EventBus::publish(std::string type, std::string owner, boost::json::object data) {
  std::lock_guard lock(impl_->mutex);
  impl_->events.push_back(Event{++impl_->last, std::move(type), std::move(owner), std::move(data)});
  if (impl_->events.size() > kRemembered) impl_->events.pop_front();
  for (auto& [key, weak] : impl_->waiting)
    if (auto timer = weak.lock()) boost::asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

std::uint64_t EventBus::lastId() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->last;
}

awaitable<std::vector<Event>> EventBus::after(std::uint64_t id, Deadline deadline) {
  auto impl = impl_;
  auto executor = co_await boost::asio::this_coro::executor;
  for (;;) {
    auto timer = std::make_shared<Timer>(executor, deadline.time());
    std::optional<Place<Impl>> place;
    {
      std::lock_guard lock(impl->mutex);
      if (id != impl->last) co_return impl->since(id);
      if (deadline.hasPassed()) co_return std::vector<Event>();
      place.emplace(impl, timer);
    }
    boost::system::error_code error;
    try {
      co_await timer->async_wait(boost::asio::use_awaitable);
    } catch (const boost::system::system_error& caught) {
      error = caught.code();
    }
    place.reset();
    std::lock_guard lock(impl->mutex);
    if (error && id == impl->last) throw boost::system::system_error(error);  // the caller was cancelled
  }
}

}  // namespace swarm
