// What the Engine's events mean: what happens by itself drives the observed state.
#include <boost/asio/this_coro.hpp>

#include "async/awaitable.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {

void DockerProvider::tell(ProviderEvent::Kind kind, std::string instance_id, std::string detail) {
  if (sink_) sink_({kind, std::move(instance_id), std::move(detail)});
}

void DockerProvider::handleEvent(const json::value& event) {
  std::string action = stringAt(event, "Action");
  std::string container = stringAt(event, "Actor.ID");
  inspected_.erase(container);
  std::string instance = eventAttribute(event, kLabelInstance);
  if (instance.empty()) return;
  std::string detail = action;
  if (std::string code = eventAttribute(event, "exitCode"); !code.empty()) detail += " exitCode=" + code;
  bool removed = action == "destroy";
  auto primary = primary_.find(instance);
  if (removed) {
    bool was_aside = set_aside_.erase(container) != 0 || (primary != primary_.end() && primary->second != container);
    if (was_aside) removed = false;  // replaced by another container, which is the instance now
    if (primary != primary_.end() && primary->second == container) forgetInstance(instance);
  }
  auto kind = action == "oom" ? ProviderEvent::Kind::OutOfMemory : removed ? ProviderEvent::Kind::Removed : ProviderEvent::Kind::Changed;
  tell(kind, instance, detail);
}

/// What was known of the Engine: after a loss it may be another one.
void DockerProvider::forgetEngine() {
  primary_.clear();
  inspected_.clear();
  stopped_.clear();
  known_networks_.clear();
  known_images_.clear();
  image_ids_.clear();
}

/// Someone connected or disconnected a container, or it started or ended.
void DockerProvider::handleNetworkEvent(const json::value& event) {
  std::string container = eventAttribute(event, "container");
  inspected_.erase(container);
  auto of = std::ranges::find_if(primary_, [&](const auto& known) { return known.second == container; });
  if (of != primary_.end()) tell(ProviderEvent::Kind::Changed, of->first, "network " + stringAt(event, "Action"));
}

void DockerProvider::followContainers(async::Executor executor) {
  // What exec does inside is none of our business, and there is much of it.
  json::array actions{"create", "start", "die", "oom", "stop", "kill", "destroy", "pause", "unpause", "update", "rename"};
  json::object filters{{"type", json::array{"container"}},
                       {"event", std::move(actions)},
                       {"label", json::array{json::string(format("{}={}", kLabelSwarm, swarm_id_))}}};
  auto connected = [this] {
    inspected_.clear();  // what happened meanwhile is unknown
    tell(ProviderEvent::Kind::Reconnected, "", endpointText(engine_.config()));
  };
  auto lost = [this](const std::string& why, bool was_connected) {
    forgetEngine();
    if (was_connected) tell(ProviderEvent::Kind::Disconnected, "", why);
  };
  engine_events_.follow(executor, {.filters = std::move(filters),
                                   .catchUp = {},
                                   .connected = std::move(connected),
                                   .event = [this](const json::value& event) { handleEvent(event); },
                                   .lost = std::move(lost)});
}

void DockerProvider::followNetworks(async::Executor executor) {
  network_events_.follow(executor, {.filters = {{"type", json::array{"network"}}, {"event", json::array{"connect", "disconnect"}}},
                                    .catchUp = {},
                                    .connected = {},
                                    .event = [this](const json::value& event) { handleNetworkEvent(event); },
                                    .lost = [](const std::string&, bool) {}});  // the containers' stream tells of that
}

awaitable<void> DockerProvider::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  auto executor = co_await boost::asio::this_coro::executor;
  try {
    co_await engine_.connect(Deadline::after(std::chrono::seconds(5)));
  } catch (const Error& error) {
    engine_events_.noteTrouble(error.message());
  }
  followContainers(executor);
  followNetworks(executor);
}

awaitable<void> DockerProvider::close() {
  co_await engine_events_.close();
  co_await network_events_.close();
  sink_ = nullptr;
}

}  // namespace swarm::docker
