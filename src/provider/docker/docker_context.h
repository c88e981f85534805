// What the parts of a DockerProvider share: the configuration, the Engine, and the swarm whose label everything carries.
#pragma once

#include <string>

#include "engine/client.h"
#include "provider/docker/docker_config.h"

namespace swarm::docker {

namespace json = boost::json;
using engine::boolAt;
using engine::integerAt;
using engine::labelOf;
using engine::member;
using engine::orThrow;
using engine::Refusal;
using engine::stringAt;

struct DockerContext {
  DockerContext(DockerProviderConfig its_config, std::string swarm_id)
      : config(std::move(its_config)), swarmId(std::move(swarm_id)), engine(config) {}

  /// The Engine's filter for what carries this swarm's label, and `extra_label` ("name=value") if there is one.
  json::object ownFilter(std::string extra_label = {}) const;

  const DockerProviderConfig config;
  const std::string swarmId;
  engine::Client engine;
};

}  // namespace swarm::docker
