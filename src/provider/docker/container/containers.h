// Containers: creates, starts, stops, renames and removes them. Every call may be repeated: what exists already is found and used.
#pragma once

#include <string>

#include "provider/docker/container/container_index.h"
#include "provider/docker/resources/images.h"
#include "provider/docker/resources/networks.h"

namespace swarm::docker {

class Containers {
 public:
  Containers(DockerContext& context, ContainerIndex& index, Images& images, Networks& networks)
      : context_(context), index_(index), images_(images), networks_(networks) {}

  /// Creates or adopts the container of that name, and gives its id.
  awaitable<std::string> create(const InstanceSpec& spec, std::string name, json::object body, Progress& progress, Deadline deadline);
  /// Only for agents that do not support public keys: the Engine unpacks it in some 40 ms.
  awaitable<void> writeAgentFile(std::string container, const InstanceSpec& spec, ImageAgent agent, Deadline deadline);
  awaitable<void> start(std::string container, Deadline deadline);  ///< running already: fine; repairs its network
  awaitable<void> stop(std::string container, std::chrono::seconds grace, Deadline deadline);
  awaitable<void> rename(std::string container, std::string name, Deadline deadline);
  /// Running or not; gone already: fine.
  awaitable<void> remove(std::string container, Deadline deadline, engine::AnonymousVolumes volumes = engine::AnonymousVolumes::Remove);
  awaitable<void> connect(const ContainerDetails& container, Deadline deadline);  ///< to its network, when it is not on it

 private:
  awaitable<std::optional<std::string>> adopt(const InstanceSpec& spec, std::string name, const json::value& body, Deadline deadline);

  DockerContext& context_;
  ContainerIndex& index_;
  Images& images_;
  Networks& networks_;
};

}  // namespace swarm::docker
