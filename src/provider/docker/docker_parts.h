// DockerParts: the parts of one DockerProvider, each of which needs only those before it; and its calls that need several of them.
#pragma once

#include "provider/docker/container/container_index.h"
#include "provider/docker/container/containers.h"
#include "provider/docker/docker_context.h"
#include "provider/docker/egress/egress_guard.h"
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
    egress.forgetAll();
  }

  DockerContext context;
  Images images{context};
  Networks networks{context};
  Volumes volumes{context};
  ContainerIndex index{context};
  Containers containers{context, index, images, networks};
  EgressGuard egress{context, index, images};
};

/// Another container on the same volumes. The old one stays, under another name, until the new one runs.
awaitable<ProviderInstance> replaceInstance(DockerParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline);

awaitable<void> removeInstance(DockerParts& parts, PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                               Progress& progress, Deadline deadline);
/// Waits until what the Engine may still create of this instance exists.
awaitable<void> settle(DockerParts& parts, InstanceSpec spec, Deadline deadline);
awaitable<std::vector<std::string>> sweep(DockerParts& parts, std::vector<Departure> gone, Deadline deadline);

awaitable<CommandResult> runCommand(DockerParts& parts, PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                    Deadline deadline);
awaitable<std::unique_ptr<LogSource::Reader>> openLog(DockerParts& parts, PlaceId place_id, LogSource::Options options, Deadline deadline);

}  // namespace swarm::docker
