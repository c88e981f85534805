// What the parts of a DockerProvider share: the configuration, the Engine, and the swarm whose label everything carries.
#pragma once

#include <string>

#include "engine/client.h"
#include "provider/docker/docker_config.h"

namespace swarm::docker {

namespace json = boost::json;
using engine::labelOf;
using engine::orThrow;
using engine::Refusal;

struct DockerContext {
  DockerContext(DockerProviderConfig its_config, std::string swarm_id)
      : config(std::move(its_config)), swarmId(std::move(swarm_id)), engine(config) {}

  const DockerProviderConfig config;
  const std::string swarmId;
  engine::Client engine;
};

}  // namespace swarm::docker
