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
  boost::json::object data;
};

/// Thread-safe. Keeps the last 4,096 events; a subscriber that falls further behind gets one "reset".
class EventBus {
 public:
  EventBus();
  ~EventBus();
  void publish(std::string type, std::string owner, boost::json::object data);
  std::uint64_t lastId() const;
  /// The events after `id`, waiting until there is one or the deadline passes (then empty). Resumes on the caller's executor.
  awaitable<std::vector<Event>> after(std::uint64_t id, Deadline deadline);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm
