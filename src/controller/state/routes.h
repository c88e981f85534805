// RouteTable: the immutable snapshot that the gateway reads. The controller publishes a new one after each change; readers keep theirs.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/client/client.h"
#include "model/types/instance.h"
#include "model/types/provider_type.h"
#include "model/types/sharing.h"

namespace swarm {

/// The progress of a move, for the page and the tab that wait for its end.
struct MoveProgress {
  std::string to;    ///< "Fly.io (ams)"
  std::string step;  ///< the operation's step: "copy", "pause", "verify" …
  int percent = 0;
  bool paused = false;            ///< VS Code is stopped; the workspace cannot be used until the end of the move
  std::int64_t secondsLeft = -1;  ///< until the end of the move; -1: not known
};

struct InstanceRoute {
  InstanceId instanceId;
  std::string name;
  std::string owner;
  ProviderType provider = ProviderType::docker;
  InstanceStatus status = InstanceStatus::creating;
  std::string reason;
  bool imageOutdated = false;
  bool enforcesStorage = true;   ///< the sizes of its volumes are enforced
  bool keepsFilesAtStop = true;  ///< also those outside of its volumes
  std::string step;              ///< the step of the operation in progress, for the start page
  SystemTime stepStartedAt{};
  bool ready = false;                          ///< VS Code has responded since the last start
  std::string generation;                      ///< changes when VS Code's server is replaced
  std::uint64_t epoch = 0;                     ///< changes when existing connections must end (stop, delete, move, new container)
  std::shared_ptr<const MoveProgress> moving;  ///< null: no move in progress
  agent::AgentTarget agent;                    ///< its endpoint is empty when the instance does not run
  std::shared_ptr<const PortRules> ports{};    ///< null: all are the owner's

  /// The rule of a port at this time.
  PortRule ruleOf(std::uint16_t port, SystemTime now) const;
};

using RouteTable = std::map<std::string, std::shared_ptr<const InstanceRoute>, std::less<>>;  ///< by name

/// One writer (the controller), any number of readers on any thread.
class RouteSource {
 public:
  std::shared_ptr<const RouteTable> current() const { return table_.load(); }
  void publish(std::shared_ptr<const RouteTable> table);
  /// Calls `listener` after each publish, on the publisher's thread; it must only post. Registered before serving begins, never removed.
  void onChange(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

  /// Reports that an instance was unreachable, that a connection of it ended, or that a client requests whether VS Code is still the same:
  /// the writer checks it. Thread-safe, cheap; checks of one instance are rate-limited.
  void reportDoubt(const InstanceId& instance_id) const {
    if (on_doubt_) on_doubt_(instance_id);
  }
  /// Reports that a page of the instance is open, to be repeated about every 30 s. Thread-safe, cheap.
  void reportUse(const InstanceId& instance_id) const {
    if (on_use_) on_use_(instance_id);
  }
  /// Registered by the writer before serving begins.
  void onDoubt(std::function<void(const InstanceId& instance_id)> handler) { on_doubt_ = std::move(handler); }
  void onUse(std::function<void(const InstanceId& instance_id)> handler) { on_use_ = std::move(handler); }

 private:
  std::function<void(const InstanceId&)> on_doubt_;
  std::function<void(const InstanceId&)> on_use_;
  std::atomic<std::shared_ptr<const RouteTable>> table_{std::make_shared<const RouteTable>()};
  std::vector<std::function<void()>> listeners_;
};

}  // namespace swarm
