// EventFollower: translates the Engine's events into a provider's, and drops what they make outdated.
#pragma once

#include <string>

#include "async/awaitable.h"
#include "engine/events.h"
#include "provider/docker/docker_parts.h"
#include "provider/docker/usage_sampler.h"

namespace swarm::docker {

/// close() before destruction, once open() was called.
class EventFollower {
 public:
  EventFollower(DockerParts& parts, UsageSampler& usage) : parts_(parts), usage_(usage) {}

  awaitable<void> open(ProviderEventSink sink);
  awaitable<void> close();
  bool connected() const { return containers_.connected(); }
  const std::string& trouble() const { return containers_.trouble(); }  ///< why it is not connected; empty: never tried

 private:
  void followContainers(async::Executor executor);
  void followNetworks(async::Executor executor);
  void handleContainer(const json::value& event);
  void handleNetwork(const json::value& event);
  void report(ProviderEvent::Kind kind, PlaceId place_id, std::string detail);

  DockerParts& parts_;
  UsageSampler& usage_;
  ProviderEventSink sink_;
  engine::Events containers_{parts_.context.engine, std::chrono::seconds(5)};
  engine::Events networks_{parts_.context.engine, std::chrono::seconds(5)};  ///< they have no label of ours
};

}  // namespace swarm::docker
