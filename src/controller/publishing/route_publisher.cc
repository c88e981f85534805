// RoutePublisher: collects changes and publishes them together.
#include "controller/publishing/route_publisher.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "controller/agents/agent_settings.h"

namespace swarm::control {
namespace {

constexpr std::chrono::milliseconds kPublishInterval{5};

}  // namespace

/// Copying the table costs time in proportion to the swarm, so a burst of changes is published together.
void RoutePublisher::changed(const Entry& entry) {
  changed_[entry.record.instance.config.name] = entry.id();
  if (publishing_) return;
  publishing_ = true;
  tasks_.spawn("publish routes", publishLater());
}

awaitable<void> RoutePublisher::publishLater() {
  auto due = published_ + kPublishInterval;
  if (due > std::chrono::steady_clock::now()) {
    co_await async::sleepUntil(Deadline::at(due));
  } else {
    co_await boost::asio::post(executor_, boost::asio::use_awaitable);  // includes other changes of this turn
  }
  publishing_ = false;
  publish();
}

InstanceRoute RoutePublisher::routeOf(const Entry& entry) const {
  const Instance& instance = entry.record.instance;
  InstanceRoute route;
  route.instanceId = instance.id;
  route.name = instance.config.name;
  route.owner = instance.owner;
  route.provider = instance.provider;
  route.status = instance.status;
  route.reason = instance.statusReason;
  route.imageOutdated = instance.imageOutdated;
  if (const Provider* provider = providers_.find(instance.provider)) {
    const ProviderCapabilities capabilities = provider->getProviderCapabilities();
    route.enforcesStorage = capabilities.enforcesStorage;
    route.keepsFilesAtStop = capabilities.keepsFilesAtStop;
  }
  route.step = entry.step;
  route.stepStartedAt = entry.stepStartedAt;
  route.ready = entry.ready;
  route.generation = entry.generation;
  route.epoch = entry.epoch;
  route.moving = entry.moving;
  route.agent = targetOf(entry);
  route.ports = entry.ports;
  return route;
}

void RoutePublisher::publish() {
  if (changed_.empty()) return;
  auto table = std::make_shared<RouteTable>(*source_.current());
  for (const auto& [name, id] : std::exchange(changed_, {})) {
    auto found = registry_.instances().find(id);
    auto old = table->find(name);
    if (found != registry_.instances().end()) {
      table->insert_or_assign(name, std::make_shared<const InstanceRoute>(routeOf(*found->second)));
    } else if (old != table->end() && old->second->instanceId == id) {
      table->erase(old);
    }
  }
  published_ = std::chrono::steady_clock::now();
  source_.publish(std::move(table));
}

void RoutePublisher::breakConnections(Entry& entry) {
  entry.epoch = next_epoch_++;
  entry.endpoint = {};
  entry.ready = false;
  entry.incarnation.clear();
  entry.observed.notifyAll();
  changed(entry);
}

}  // namespace swarm::control
