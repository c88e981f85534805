// Volumes: created with labels, found by them, removed when no container uses them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "provider/docker/docker_context.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {

class Volumes {
 public:
  explicit Volumes(DockerContext& context) : context_(context) {}

  struct Volume {
    VolumeInfo info;
    bool persistent = true;
  };

  /// Creates those that do not exist. Throws Error(Unprocessable | Conflict) for one that the instance may not take.
  awaitable<void> create(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Progress& progress, Deadline deadline);
  /// What create() would refuse.
  awaitable<void> preview(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline);

  /// With those of earlier versions, which have no label, and so no owner: whether they belong to this swarm depends on its instances.
  awaitable<std::vector<Volume>> all(Deadline deadline);
  awaitable<std::vector<VolumeInfo>> list(Deadline deadline);  ///< all(), with their use

  /// Recorded volumes of the plans that do not exist any more.
  awaitable<std::vector<LostVolume>> findLost(const InstanceSpec& spec, std::vector<VolumePlan> plans, Deadline deadline);
  /// Throws Error(Conflict) when one is lost: an empty volume in its place would hide that.
  awaitable<void> requireKnown(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Deadline deadline);

  awaitable<bool> remove(std::string name, Deadline deadline);  ///< false: in use
  /// Throws Error(NotFound | Conflict).
  awaitable<void> removeOwn(std::string name, Deadline deadline);
  /// The volumes that a delete of the instance removes; `mounted`: those that its containers had.
  awaitable<std::set<std::string>> findRemovable(PlaceId place_id, DeleteVolumes volumes, const std::set<std::string>& mounted,
                                                 Deadline deadline);
  /// False: one is held by something that is not listed, such as a container that the Engine is creating; to be repeated.
  awaitable<bool> removeAll(const std::set<std::string>& names, PlaceId place_id, Deadline deadline);

 private:
  awaitable<std::vector<Volume>> labelled(Deadline deadline);
  awaitable<std::vector<Volume>> unlabelled(PlaceId place_id, Deadline deadline);  ///< empty: of all
  awaitable<bool> isUsedByOthers(std::string volume, PlaceId place_id, Deadline deadline);

  DockerContext& context_;
};

}  // namespace swarm::docker
