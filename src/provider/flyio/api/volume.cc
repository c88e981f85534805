#include "provider/flyio/api/volume.h"

#include <algorithm>
#include <array>

#include "base/text/json_access.h"

namespace swarm::flyio {

bool Volume::isGone() const {
  constexpr std::array<std::string_view, 6> kEnding{"scheduling_destroy", "waiting_for_detach", "fork_cleanup",
                                                    "pending_destroy",    "destroying",         "destroyed"};
  return std::find(kEnding.begin(), kEnding.end(), state) != kEnding.end();
}

Volume readVolume(const json::value& document, std::string app) {
  Volume volume;
  volume.app = std::move(app);
  volume.id = stringAt(document, "id");
  volume.name = stringAt(document, "name");
  volume.state = stringAt(document, "state");
  volume.region = stringAt(document, "region");
  volume.machineId = stringAt(document, "attached_machine_id");
  volume.sizeGb = integerAt(document, "size_gb");
  volume.createdAt = timeAt(document, "created_at");
  volume.hostStatus = stringAt(document, "host_status");
  return volume;
}

}  // namespace swarm::flyio
