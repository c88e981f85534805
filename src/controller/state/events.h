// EventBus: numbered events for server-sent events, with a bounded history from which clients resume.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/types/ids.h"

namespace swarm {

using boost::asio::awaitable;

enum class EventType {
  instance,   ///< a change of an instance
  operation,  ///< a change of an operation
  notice,     ///< something that an instance's owner should know
  share,      ///< an instance was shared with a user, or a share ended
  provider,   ///< a provider became available or unavailable
  log,        ///< a warning or an error of the server
  reset,      ///< events were lost: the client must read everything again
};
BOOST_DESCRIBE_ENUM(EventType, instance, operation, notice, share, provider, log, reset)

struct Event {
  std::uint64_t id = 0;
  EventType type = EventType::reset;
  std::string owner;                    ///< empty: for administrators only
  InstanceId instance = {};             ///< also for users with whom it is shared; empty: not for them
  std::vector<std::string> users = {};  ///< also for these
  std::shared_ptr<const std::string> data =
      std::make_shared<const std::string>("{}");  ///< a JSON object in one line; shared by its readers
};

/// Maximum of the history.
struct EventMemory {
  std::size_t events = 4096;
  std::size_t bytes = 4 * 1024 * 1024;  ///< of their texts; the newest event is always kept
};

/// Thread-safe. A subscriber that falls behind the history receives one "reset".
///
/// Numbers are unique across runs of the server: each run starts with the microseconds of its clock, far above the last number of the run
/// before, so that a number of an earlier run is always recognized.
class EventBus {
 public:
  explicit EventBus(std::uint64_t before_first = numberOfNow(), EventMemory memory = {});
  ~EventBus();
  void publish(Event event, const boost::json::object& data);  ///< sets `id` and `data`
  void publish(EventType type, std::string owner, const boost::json::object& data);
  void publishText(EventType type, std::string owner, std::string json_object);
  std::uint64_t lastId() const;
  std::size_t historyBytes() const;
  /// Waits for events after `id` and returns them, limited to about `max_bytes` together; none at the deadline. Resumes on the caller's
  /// executor.
  awaitable<std::vector<Event>> after(std::uint64_t id, Deadline deadline, std::size_t max_bytes = SIZE_MAX);

 private:
  static std::uint64_t numberOfNow();
  void remember(Event event, std::string json_object);

  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm
