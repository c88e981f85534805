// EventBus: what happens in the swarm, for server-sent events: numbered, with a bounded memory of the past so that a client can resume.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm {

using boost::asio::awaitable;

struct Event {
  std::uint64_t id = 0;
  std::string type;   ///< "instance", "operation", "provider", "log", "reset" (events were lost: read everything again)
  std::string owner;  ///< whose; empty: for admins only
  std::shared_ptr<const std::string> data =
      std::make_shared<const std::string>("{}");  ///< a JSON object, in one line; shared by its readers
};

/// What the bus remembers, at most.
struct EventMemory {
  std::size_t events = 4096;
  std::size_t bytes = 4 * 1024 * 1024;  ///< of their texts; the newest event is always remembered
};

/// Thread-safe. A subscriber that falls behind what is remembered gets one "reset".
///
/// Numbers are unique over all lives of the server: each life begins with the microseconds of its clock, far above what the life before can
/// have reached. So a number of an earlier life is never taken for one of this.
class EventBus {
 public:
  explicit EventBus(std::uint64_t before_first = numberOfNow(), EventMemory memory = {});
  ~EventBus();
  void publish(std::string type, std::string owner, const boost::json::object& data);
  void publishText(std::string type, std::string owner, std::string json_object);
  std::uint64_t lastId() const;
  std::size_t rememberedBytes() const;
  /// The first events after `id`, of together not much more than `most_bytes`, waiting until there is one or the deadline passes (then
  /// none). Resumes on the caller's executor.
  awaitable<std::vector<Event>> after(std::uint64_t id, Deadline deadline, std::size_t most_bytes = SIZE_MAX);

 private:
  static std::uint64_t numberOfNow();

  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm
