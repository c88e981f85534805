// EventBus: a bounded ring of events, and timers of the waiting loops.
#include "controller/state/events.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <mutex>

#include "model/codec/codec_detail.h"

namespace swarm {

template std::string_view enumName<EventType>(EventType);

namespace {

using Timer = boost::asio::steady_timer;

}  // namespace

struct EventBus::Impl {
  Impl(std::uint64_t before_first, EventMemory limits) : memory(limits), last(before_first) {}

  const EventMemory memory;
  mutable std::mutex mutex;
  std::deque<Event> events;
  std::uint64_t last;
  std::size_t bytes = 0;  ///< of the events' texts
  std::map<Timer*, std::weak_ptr<Timer>> waiting;

  /// The events after `id`; a single "reset" when some were dropped or `id` is of another run of the server.
  std::vector<Event> since(std::uint64_t id, std::size_t max_bytes) const {
    std::vector<Event> found;
    std::size_t found_bytes = 0;
    std::uint64_t first = last - events.size() + 1;
    if (id > last || id + 1 < first) {
      found.push_back(Event{.id = last, .type = EventType::reset, .owner = ""});
      return found;
    }
    for (std::size_t i = id + 1 - first; i < events.size() && found_bytes < max_bytes; ++i) {
      found.push_back(events[i]);
      found_bytes += events[i].data->size();
    }
    return found;
  }

  void remember(Event event) {
    event.id = ++last;
    bytes += event.data->size();
    events.push_back(std::move(event));
    while (events.size() > 1 && (events.size() > memory.events || bytes > memory.bytes)) {
      bytes -= events.front().data->size();
      events.pop_front();
    }
  }
};

namespace {

/// A waiter's registration for the life of its frame. publishText() posts to the waiter's loop under the mutex, so the loop still exists.
template <typename Impl>
class WaiterRegistration {
 public:
  WaiterRegistration(std::shared_ptr<Impl> impl, const std::shared_ptr<Timer>& timer) : impl_(std::move(impl)), timer_(timer.get()) {
    impl_->waiting.emplace(timer_, timer);  // under the caller's lock
  }
  ~WaiterRegistration() {
    std::lock_guard lock(impl_->mutex);
    impl_->waiting.erase(timer_);
  }
  WaiterRegistration(const WaiterRegistration&) = delete;
  WaiterRegistration& operator=(const WaiterRegistration&) = delete;

 private:
  std::shared_ptr<Impl> impl_;
  Timer* timer_;
};

}  // namespace

std::uint64_t EventBus::numberOfNow() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

EventBus::EventBus(std::uint64_t before_first, EventMemory memory) : impl_(std::make_shared<Impl>(before_first, memory)) {}
EventBus::~EventBus() = default;

void EventBus::publish(Event event, const boost::json::object& data) { remember(std::move(event), boost::json::serialize(data)); }

void EventBus::publish(EventType type, std::string owner, const boost::json::object& data) {
  publishText(type, std::move(owner), boost::json::serialize(data));
}

void EventBus::publishText(EventType type, std::string owner, std::string json_object) {
  remember(Event{.type = type, .owner = std::move(owner)}, std::move(json_object));
}

void EventBus::remember(Event event, std::string json_object) {
  event.data = std::make_shared<const std::string>(std::move(json_object));
  std::lock_guard lock(impl_->mutex);
  impl_->remember(std::move(event));
  for (auto& [key, weak] : impl_->waiting)
    if (auto timer = weak.lock()) boost::asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

std::uint64_t EventBus::lastId() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->last;
}

std::size_t EventBus::historyBytes() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->bytes;
}

awaitable<std::vector<Event>> EventBus::after(std::uint64_t id, Deadline deadline, std::size_t max_bytes) {
  auto impl = impl_;
  auto executor = co_await boost::asio::this_coro::executor;
  for (;;) {
    auto timer = std::make_shared<Timer>(executor, deadline.time());
    std::optional<WaiterRegistration<Impl>> registration;
    {
      std::lock_guard lock(impl->mutex);
      if (id != impl->last) co_return impl->since(id, max_bytes);
      if (deadline.hasPassed()) co_return std::vector<Event>();
      registration.emplace(impl, timer);
    }
    boost::system::error_code error;
    try {
      co_await timer->async_wait(boost::asio::use_awaitable);
    } catch (const boost::system::system_error& caught) {
      error = caught.code();
    }
    registration.reset();
    std::lock_guard lock(impl->mutex);
    if (error && id == impl->last) throw boost::system::system_error(error);  // the caller was cancelled
  }
}

}  // namespace swarm
