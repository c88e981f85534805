// Replacement: another container on the same volumes. The old one stays, under another name, until the new one runs.
//
// The names show how far it came, so that a call after a crash continues from there:
//   NAME (old, as it was)              nothing done yet
//   NAME (old), NAME-new               prepared: created, never started, its swarm.run label records whether the old one ran
//   NAME-old (stopped), NAME-new       the old one is set aside
//   NAME-old (stopped), NAME (new)     the new one is current; to be started if the old one ran, then the old one is removed
//   NAME (new)                         done
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provider/docker/docker_parts.h"

namespace swarm::docker {

/// One replacement; its progress outlives it.
class Replacement {
 public:
  Replacement(DockerParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline)
      : parts_(parts), spec_(std::move(spec)), progress_(progress), deadline_(deadline), name_(containerName(spec_)) {}

  awaitable<ProviderInstance> run();

 private:
  struct Target {
    NetworkPlan network;
    ImageFacts image;
    std::vector<VolumePlan> volumes;
    json::object body;
    std::string hash;
  };
  awaitable<void> survey();
  awaitable<Target> plan();
  bool isWanted(const ContainerDetails& container, const Target& target) const;
  awaitable<void> prepare(Target& target);
  awaitable<void> exchange();
  awaitable<void> startCurrent();
  awaitable<void> startAndRemoveOld();
  awaitable<void> rollBack();

  DockerParts& parts_;
  const InstanceSpec spec_;
  Progress& progress_;
  const Deadline deadline_;
  const std::string name_;
  std::optional<ContainerDetails> current_;  ///< NAME
  std::optional<ContainerDetails> aside_;    ///< NAME-old
  std::optional<ContainerDetails> next_;     ///< NAME-new
  bool runs_ = false;                        ///< the instance, before and afterwards
};

}  // namespace swarm::docker
