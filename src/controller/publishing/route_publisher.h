// RoutePublisher: keeps the gateway's route table up to date.
#pragma once

#include "async/background/background_tasks.h"
#include "controller/state/providers.h"

namespace swarm::control {

class RoutePublisher {
 public:
  RoutePublisher(async::Executor executor, const Registry& registry, const Providers& providers, async::BackgroundTasks& tasks)
      : executor_(std::move(executor)), registry_(registry), providers_(providers), tasks_(tasks) {}

  RouteSource& source() { return source_; }
  void changed(const Entry& entry);     ///< publishes soon, together with other changes
  void publish();                       ///< publishes pending changes now
  void breakConnections(Entry& entry);  ///< ends connections: new epoch, no endpoint

 private:
  awaitable<void> publishLater();
  InstanceRoute routeOf(const Entry& entry) const;

  async::Executor executor_;
  const Registry& registry_;
  const Providers& providers_;
  async::BackgroundTasks& tasks_;
  RouteSource source_;
  std::map<std::string, InstanceId> changed_;  ///< by name
  bool publishing_ = false;
  std::chrono::steady_clock::time_point published_{};
  std::uint64_t next_epoch_ = 1;
};

}  // namespace swarm::control
