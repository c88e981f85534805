// Two streams: containers by our label, and connections of all networks.
#include "provider/docker/event_follower.h"

#include <boost/asio/this_coro.hpp>

#include "async/attempt.h"
#include "base/text/format.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {

void EventFollower::report(ProviderEvent::Kind kind, PlaceId place_id, std::string detail) {
  if (sink_) sink_({kind, std::move(place_id), std::move(detail)});
}

void EventFollower::handleContainer(const json::value& event) {
  using Kind = ProviderEvent::Kind;
  std::string action = stringAt(event, "Action");
  std::string container = stringAt(event, "Actor.ID");
  parts_.index.noteChanged(container);
  PlaceId place(engine::eventAttribute(event, kLabelInstance));
  if (place.empty()) return;
  std::string detail = action;
  if (std::string code = engine::eventAttribute(event, "exitCode"); !code.empty()) detail += " exitCode=" + code;
  Kind kind = action == "oom" ? Kind::OutOfMemory : Kind::Changed;
  if ((action == "destroy" || action == "remove") && parts_.index.noteRemoved(place, container)) {
    usage_.forget(place);
    kind = Kind::Removed;
  }
  report(kind, place, detail);
}

/// A container was connected or disconnected, by hand or because it started or ended.
void EventFollower::handleNetwork(const json::value& event) {
  std::string container = engine::eventAttribute(event, "container");
  parts_.index.noteChanged(container);
  auto place = parts_.index.placeOf(container);
  if (place) report(ProviderEvent::Kind::Changed, *place, "network " + stringAt(event, "Action"));
}

void EventFollower::followContainers(async::Executor executor) {
  // Not those of exec, which are many and do not concern us. podman filters by names of its own: "died" for "die", "remove" for "destroy".
  json::array actions{"create", "start", "die", "died", "oom", "stop", "kill", "destroy", "remove", "pause", "unpause", "update", "rename"};
  json::object filters = ownFilter(parts_.context);
  filters["type"] = json::array{"container"};
  filters["event"] = std::move(actions);
  auto connected = [this] {
    parts_.index.noteAllChanged();  // events were missed
    report(ProviderEvent::Kind::Reconnected, {}, toString(parts_.context.engine.endpoint()));
  };
  auto lost = [this](const std::string& why, bool was_connected) {
    parts_.forgetEngine();
    if (was_connected) report(ProviderEvent::Kind::Disconnected, {}, why);
  };
  containers_.follow(executor, {.filters = std::move(filters),
                                .catchUp = {},
                                .connected = std::move(connected),
                                .event = [this](const json::value& event) { handleContainer(event); },
                                .lost = std::move(lost)});
}

void EventFollower::followNetworks(async::Executor executor) {
  networks_.follow(executor, {.filters = {{"type", json::array{"network"}}, {"event", json::array{"connect", "disconnect"}}},
                              .catchUp = {},
                              .connected = [this] { parts_.index.noteAllChanged(); },  // events were lost in the gap
                              .event = [this](const json::value& event) { handleNetwork(event); },
                              .lost = [](const std::string&, bool) {}});  // the containers' stream reports that
}

awaitable<void> EventFollower::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  auto executor = co_await boost::asio::this_coro::executor;
  auto connected = co_await async::attempt(parts_.context.engine.connect(Deadline::after(std::chrono::seconds(5))));
  if (!connected) containers_.noteTrouble(connected.error().message());
  followContainers(executor);
  followNetworks(executor);
}

awaitable<void> EventFollower::close() {
  co_await containers_.close();
  co_await networks_.close();
  sink_ = nullptr;
}

}  // namespace swarm::docker
