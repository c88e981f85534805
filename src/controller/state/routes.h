// RouteTable: the immutable snapshot that the gateway reads. The controller publishes a new one at every change; readers keep the one they
// took.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/client/client.h"
#include "model/types.h"

namespace swarm {

/// A move in progress, for the page and the tab that wait for its end.
struct MoveProgress {
  std::string to;    ///< "Fly.io (ams)"
  std::string step;  ///< the operation's step: "copy", "pause", "verify" …
  int percent = 0;
  bool paused = false;            ///< VS Code is stopped: from here on people wait
  std::int64_t secondsLeft = -1;  ///< until the end of the move; -1: not known
};

struct Route {
  std::string instanceId;
  std::string name;
  std::string owner;
  ProviderType provider = ProviderType::docker;
  InstanceStatus status = InstanceStatus::creating;
  std::string reason;
  bool imageOutdated = false;
  bool enforcesStorage = true;  ///< the sizes of its volumes are limits
  std::string step;             ///< what the operation in progress is doing, for the start page
  SystemTime stepStartedAt{};
  bool ready = false;                          ///< VS Code has answered since the last start
  std::string generation;                      ///< changes whenever VS Code's server was replaced
  std::uint64_t epoch = 0;                     ///< changes when connections to the old place must end (stop, delete, move, new container)
  std::shared_ptr<const MoveProgress> moving;  ///< null: it is not being moved
  agent::AgentTarget agent;                    ///< connect is empty when it does not run
};

using RouteTable = std::map<std::string, std::shared_ptr<const Route>, std::less<>>;  ///< by name

/// One writer (the controller), any number of readers on any thread.
class RouteSource {
 public:
  std::shared_ptr<const RouteTable> current() const { return table_.load(); }
  void publish(std::shared_ptr<const RouteTable> table);
  /// Calls `listener` after each publish, on the publisher's thread; it must only post. Registered before serving begins, never removed.
  void onChange(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

  /// A reader could not reach an instance, a connection of it ended, or somebody asks whether its VS Code is still the same: the writer
  /// looks at it again. Thread-safe, cheap; looks at one instance are spaced out.
  void reportDoubt(const std::string& instance_id) const {
    if (on_doubt_) on_doubt_(instance_id);
  }
  /// Somebody has the instance open. Thread-safe, cheap; say it every half minute or so while it is true.
  void reportUse(const std::string& instance_id) const {
    if (on_use_) on_use_(instance_id);
  }
  /// Registered by the writer before serving begins.
  void onDoubt(std::function<void(const std::string& instance_id)> handler) { on_doubt_ = std::move(handler); }
  void onUse(std::function<void(const std::string& instance_id)> handler) { on_use_ = std::move(handler); }

 private:
  std::function<void(const std::string&)> on_doubt_;
  std::function<void(const std::string&)> on_use_;
  std::atomic<std::shared_ptr<const RouteTable>> table_{std::make_shared<const RouteTable>()};
  std::vector<std::function<void()>> listeners_;
};

}  // namespace swarm
