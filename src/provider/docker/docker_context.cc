// The filter by labels.
#include "provider/docker/docker_context.h"

#include "base/text/format.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {

json::object DockerContext::ownFilter(std::string extra_label) const {
  json::array labels{json::string(format("{}={}", kLabelSwarm, swarmId))};
  if (!extra_label.empty()) labels.push_back(json::string(extra_label));
  return {{"label", std::move(labels)}};
}

}  // namespace swarm::docker
