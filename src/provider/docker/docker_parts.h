// The parts of one DockerProvider, each of which needs only those before it.
#pragma once

#include "provider/docker/container/container_index.h"
#include "provider/docker/container/containers.h"
#include "provider/docker/docker_context.h"
#include "provider/docker/resources/images.h"
#include "provider/docker/resources/networks.h"
#include "provider/docker/resources/volumes.h"

namespace swarm::docker {

struct DockerParts {
  DockerParts(DockerProviderConfig config, std::string swarm_id) : context(std::move(config), std::move(swarm_id)) {}

  /// After a disconnect: the Engine behind the endpoint may be another one.
  void forgetEngine() {
    index.forgetAll();
    networks.forgetAll();
    images.forgetAll();
  }

  DockerContext context;
  Images images{context};
  Networks networks{context};
  Volumes volumes{context};
  ContainerIndex index{context};
  Containers containers{context, index, images, networks};
};

}  // namespace swarm::docker
