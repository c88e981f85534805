// Volumes and the snapshots that Fly takes of them.
#include "provider/flyio/api/call_parts.h"
#include "provider/flyio/api/machines_client.h"

namespace swarm::flyio {

awaitable<std::vector<Volume>> MachinesClient::listVolumes(std::string app, Deadline deadline) {
  const std::string doing = "list the app's volumes";
  auto document = co_await transport_.find({Action::ListVolumes, app, "GET", inApp(app, "/volumes"), doing}, deadline);
  std::vector<Volume> found = readList(document, doing, [&](const json::value& item) { return readVolume(item, app); });
  std::erase_if(found, [](const Volume& volume) { return volume.isGone(); });
  co_return found;
}

awaitable<std::optional<Volume>> MachinesClient::findVolume(std::string app, std::string id, Deadline deadline) {
  auto document = co_await transport_.find(
      {Action::GetVolume, app, "GET", inApp(app, "/volumes/" + id), format("look up the volume {}", id)}, deadline);
  if (!document) co_return std::nullopt;
  Volume volume = readVolume(*document, app);
  co_return volume.isGone() ? std::nullopt : std::optional(std::move(volume));
}

awaitable<FlyResult<Volume>> MachinesClient::createVolume(VolumeRequest request, Deadline deadline) {
  json::object body{{"name", request.name},
                    {"region", request.region},
                    {"size_gb", request.sizeGb},
                    {"encrypted", true},
                    {"require_unique_zone", false},  // true would refuse a second volume of the name on one host
                    {"auto_backup_enabled", request.isBackedUp},
                    {"snapshot_retention", request.retentionDays},
                    {"compute", std::move(request.guest)}};  // a host that has capacity for the Machine, too
  if (!request.sourceVolumeId.empty()) body["source_volume_id"] = request.sourceVolumeId;
  if (!request.snapshotId.empty()) body["snapshot_id"] = request.snapshotId;
  FlyCall call{
      Action::CreateVolume, request.app, "POST",       inApp(request.app, "/volumes"), format("create a volume in {}", request.region),
      std::move(body),      "",          Repeat::Never};
  if (request.snapshotId.empty()) call.patienceForNew = tuning().lookFor;  // an app with a snapshot is not new
  auto read = [app = request.app](const json::value& document) {
    Volume volume = readVolume(document, app);
    return volume.id.empty() ? std::nullopt : std::optional(std::move(volume));
  };
  return change<Volume>(std::move(call), std::move(read), deadline);
}

awaitable<void> MachinesClient::extendVolume(Volume volume, std::int64_t size_gb, Deadline deadline) {
  co_await transport_.call({Action::ExtendVolume, volume.app, "PUT", inApp(volume.app, format("/volumes/{}/extend", volume.id)),
                            format("extend the volume to {} GB", size_gb), json::object{{"size_gb", size_gb}}},
                           deadline);
}

awaitable<FlyResult<void>> MachinesClient::deleteVolume(std::string app, std::string id, Deadline deadline) {
  return change({Action::DeleteVolume, app, "DELETE", inApp(app, "/volumes/" + id), format("delete the volume {}", id)}, deadline);
}

awaitable<std::vector<StoredSnapshot>> MachinesClient::listSnapshots(std::string app, std::string volume_id, Deadline deadline) {
  const std::string doing = "list the volume's snapshots";
  auto document = co_await transport_.find(
      {Action::ListSnapshots, app, "GET", inApp(app, format("/volumes/{}/snapshots", volume_id)), doing}, deadline);
  co_return readList(document, doing, [](const json::value& item) {
    return StoredSnapshot{stringAt(item, "id"),       stringAt(item, "status"),
                          timeAt(item, "created_at"), integerAt(item, "retention_days"),
                          integerAt(item, "size"),    integerAt(item, "volume_size")};
  });
}

}  // namespace swarm::flyio
