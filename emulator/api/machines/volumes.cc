// Volumes and snapshots (§7).
#include <algorithm>

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/rules/lifecycle.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::int64_t kDefaultSizeGb = 3, kLargestGb = 500;
constexpr std::int64_t kLongestRetention = 60;

Deadline copyDeadline() { return Deadline::after(std::chrono::minutes(10)); }

bool isVolumeName(std::string_view name) {
  return !name.empty() && name.size() <= 30 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

/// Only data stored elsewhere (snapshots) is readable while the host is away. I: status and wording.
void requireHost(const Volume& volume) {
  if (volume.host && volume.host->status != HostStatus::ok) refuse(412, "failed_precondition: volume's host is unreachable");
}

/// The source of the content: none, another volume, or a snapshot.
struct Origin {
  std::string contentId;
  std::string_view stateOnTheWay;
  std::int64_t minGb = 1;
  std::string avoidZone;  ///< a fork goes to another host (§12 pitfall 2)
  std::string region;
};

Origin findOrigin(Core& core, const Call& call) {
  Body fields = call.fields();
  std::string source = fields.text("source_volume_id"), snapshot_id = fields.text("snapshot_id");
  if (!source.empty()) {
    VolumePtr volume = core.world.findVolume(*call.app, source);
    if (!volume || volume->isGoing()) refuse(404, format("source volume {} not found", source));  // I: status and wording
    requireHost(*volume);
    return {volume->id, "hydrating", volume->sizeGb, volume->host ? volume->host->zone : "", volume->region};
  }
  if (snapshot_id.empty()) return {};
  // Also of a deleted volume (§7).
  for (const auto& [number, volume] : call.app->volumes) {
    core.dropExpiredSnapshots(volume);
    for (const VolumeSnapshot& snapshot : volume->snapshots) {
      if (snapshot.id == snapshot_id) return {snapshot.id, "restoring", snapshot.volumeSizeGb, "", volume->region};
    }
  }
  refuse(404, format("snapshot {} not found", snapshot_id));  // I: status and wording
}

std::int64_t checkSize(const Body& fields, const Origin& origin) {
  std::int64_t size = fields.integer("size_gb").value_or(origin.contentId.empty() ? kDefaultSizeGb : origin.minGb);
  if (size < 1 || size > kLargestGb) refuse(400, format("size_gb must be between 1 and {}", kLargestGb));  // I: the wording
  // I: status and wording; §7: a restored volume is at least as large as the snapshot's.
  if (size < origin.minGb) refuse(400, format("size_gb must be at least {}", origin.minGb));
  return size;
}

std::int64_t checkRetention(const Body& fields, std::int64_t otherwise) {
  if (!fields.has("snapshot_retention")) return otherwise;
  std::int64_t days = *fields.integer("snapshot_retention");
  // I: status and wording; §7: 1-60 days.
  if (days < 1 || days > kLongestRetention) refuse(400, format("snapshot_retention must be between 1 and {}", kLongestRetention));
  return days;
}

/// require_unique_zone (default true): not on hardware that has a volume of this name.
Host* placeVolume(Core& core, const Call& call, const std::string& region, const GuestSize& guest, const Origin& origin) {
  Body fields = call.fields();
  std::vector<std::string> taken;
  if (fields.flag("require_unique_zone").value_or(true)) {
    bool app_wide = fields.flag("unique_zone_app_wide").value_or(false);
    for (const auto& [number, volume] : call.app->volumes) {
      if (!volume->isGoing() && volume->region == region && (app_wide || volume->name == fields.text("name")))
        taken.push_back(volume->host->zone);
    }
  }
  Host* best = nullptr;
  for (auto& [id, host] : core.world.hosts) {
    if (host.status != HostStatus::ok) continue;
    if (host.region != region || !core.capacity.fits(host, guest) || std::ranges::find(taken, host.zone) != taken.end()) continue;
    bool avoided = !origin.avoidZone.empty() && host.zone == origin.avoidZone;
    bool best_avoided = best && !origin.avoidZone.empty() && best->zone == origin.avoidZone;
    if (!best || (best_avoided && !avoided) || (avoided == best_avoided && host.machines + host.volumes < best->machines + best->volumes))
      best = &host;
  }
  return best;
}

VolumePtr makeVolume(Core& core, const Call& call, const Origin& origin) {
  Body fields = call.fields();
  std::string region = fields.text("region");
  if (region.empty()) region = origin.region.empty() ? core.options.regions.front() : origin.region;
  if (!core.capacity.hasRegion(region)) refuse(400, format("invalid_argument: unknown region '{}'", region));  // I: the wording
  const json::object* compute = fields.object("compute");
  GuestSize guest = compute ? checkGuestObject(*compute) : GuestSize{.memoryMb = 0};
  std::string fstype = fields.text("fstype");
  if (!fstype.empty() && fstype != "ext4" && fstype != "raw") refuse(400, format("invalid fstype '{}'", fstype));  // I: the wording
  auto volume = std::make_shared<Volume>();
  volume->name = fields.text("name");
  volume->sizeGb = checkSize(fields, origin);
  volume->snapshotRetention = checkRetention(fields, 5);
  volume->host = placeVolume(core, call, region, guest, origin);
  if (!volume->host) refuseBy("E24");
  volume->id = newVolumeId();
  volume->number = core.world.nextNumber();
  volume->region = region;
  volume->encrypted = fields.flag("encrypted").value_or(true);
  volume->autoBackup = fields.flag("auto_backup_enabled").value_or(true);
  if (!fstype.empty()) volume->fstype = fstype;
  volume->createdAt = core.now();
  return volume;
}

/// The transition of a fork or restored volume to `created`; the content is copied before the response, so it is the source's at that
/// moment.
awaitable<void> hydrate(Core& core, VolumePtr volume, std::string state) {
  volume->state = std::move(state);
  co_await async::sleepFor(core.options.times.volumeHydrate);
  if (!volume->isGoing()) volume->state = "created";
  core.touch(volume);
  co_await core.journal.flush();
}

/// E25: bound to a Machine, or to one that was recently destroyed.
void requireFree(const Core& core, const Volume& volume) {
  std::string holder = core.boundTo(volume);
  if (!holder.empty()) refuseBy("E25", {{"id", holder}});
}

awaitable<Response> listVolumes(Core& core, Call& call) {
  Page page = readPage(call, 1000);
  json::array list;
  auto cursor = addPage(list, call.app->volumes, page, [&](const Volume& volume) {
    return volume.state == "destroyed" ? std::nullopt : std::optional(volumeToJson(core, volume));
  });
  co_return pageResponse(list, std::move(cursor));
}

awaitable<Response> createVolume(Core& core, Call& call) {
  Body fields = call.fields();
  if (!isVolumeName(fields.text("name"))) refuseBy("E28.volume");
  Origin origin = findOrigin(core, call);
  core.forgetOld();
  VolumePtr volume = makeVolume(core, call, origin);
  core.world.add(call.app, volume);
  core.touch(volume);
  // The entry first: a crash between the two leaves no unknown volume.
  co_await core.journal.flush();
  auto filled = co_await async::attempt(origin.contentId.empty() ? core.backend->createVolume(volume->id, volume->sizeGb, copyDeadline())
                                                                 : core.backend->copyVolume(origin.contentId, volume->id, copyDeadline()));
  if (call.app->deleted) {
    // The app's deletion may have run before the content existed.
    co_await destroyVolumeContent(core, volume);
    refuseBy("E6");
  }
  if (!filled) {
    core.world.forget(volume);
    core.journal.forgotten(volume);
    // Another call deleted the source or snapshot concurrently. I: status and wording
    if (filled.error().code() == ErrorCode::NotFound && !origin.contentId.empty()) refuse(404, format("{} not found", origin.contentId));
    throw filled.error();
  }
  volume->state = "created";
  json::object body = volumeToJson(core, *volume);
  if (!origin.contentId.empty()) {
    body["state"] = "creating";
    core.spawn(hydrate(core, volume, std::string(origin.stateOnTheWay)));
  }
  core.touch(volume);
  co_return jsonResponse(200, body);
}

awaitable<Response> getVolume(Core& core, Call& call) { co_return jsonResponse(200, volumeToJson(core, *call.volume)); }

awaitable<Response> updateVolume(Core& core, Call& call) {
  Body fields = call.fields();
  Volume& volume = *call.volume;
  volume.snapshotRetention = checkRetention(fields, volume.snapshotRetention);
  volume.autoBackup = fields.flag("auto_backup_enabled").value_or(volume.autoBackup);
  core.touch(call.volume);
  co_return jsonResponse(200, volumeToJson(core, volume));
}

awaitable<Response> deleteVolume(Core& core, Call& call) {
  VolumePtr volume = call.volume;
  if (volume->isGoing()) co_return jsonResponse(200, volumeToJson(core, *volume));  // I: a second delete
  requireFree(core, *volume);
  core.softDelete(volume);
  co_await destroyVolumeContent(core, volume);
  co_return jsonResponse(200, volumeToJson(core, *volume));
}

awaitable<Response> extendVolume(Core& core, Call& call) {
  Volume& volume = *call.volume;
  requireHost(volume);
  std::int64_t size = call.fields().integer("size_gb").value_or(0);
  if (size > kLargestGb) refuse(400, format("size_gb must be between 1 and {}", kLargestGb));  // I: the wording
  if (size <= volume.sizeGb)
    refuse(400, format("size_gb must be greater than {}", volume.sizeGb));  // I: status and wording; §7: never shrink
  volume.sizeGb = size;
  core.touch(call.volume);
  co_return jsonResponse(200, json::object{{"needs_restart", false}, {"volume", volumeToJson(core, volume)}});
}

awaitable<Response> listSnapshots(Core& core, Call& call) {
  core.dropExpiredSnapshots(call.volume);
  json::array list;
  for (const VolumeSnapshot& snapshot : call.volume->snapshots) list.push_back(snapshotToJson(snapshot));
  co_return jsonResponse(200, list);
}

awaitable<Response> createSnapshot(Core& core, Call& call) {
  VolumePtr volume = call.volume;
  if (volume->isGoing()) refuse(412, "failed_precondition: volume is being destroyed");  // I: status and wording
  requireHost(*volume);
  core.dropExpiredSnapshots(volume);
  VolumeSnapshot snapshot;
  snapshot.id = newSnapshotId();
  snapshot.createdAt = core.now();
  snapshot.volumeSizeGb = volume->sizeGb;
  snapshot.retentionDays = volume->snapshotRetention;
  snapshot.digest = toHex(sha256(snapshot.id));
  // The entry first: see createVolume().
  volume->snapshots.push_back(snapshot);
  core.touch(volume);
  co_await core.journal.flush();
  std::optional<Error> failure;
  try {
    co_await core.backend->copyVolume(volume->id, snapshot.id, copyDeadline());
    snapshot.sizeBytes = co_await core.backend->volumeBytesUsed(snapshot.id, copyDeadline());
  } catch (const Error& error) {
    failure = error;
  }
  if (failure || call.app->deleted) {
    std::erase_if(volume->snapshots, [&](const VolumeSnapshot& known) { return known.id == snapshot.id; });
    core.touch(volume);
    co_await core.backend->destroyVolume(snapshot.id, copyDeadline());
    if (failure) throw *failure;
    refuseBy("E6");
  }
  for (VolumeSnapshot& known : volume->snapshots) {
    if (known.id == snapshot.id) known.sizeBytes = snapshot.sizeBytes;
  }
  core.touch(volume);
  co_return jsonResponse(200, json::object{{"Msg", {{"backup", snapshotToJson(snapshot)}}}});
}

}  // namespace

std::vector<Route> volumeRoutes() {
  return {
      {"GET", "/volumes", "volume_list", listVolumes},
      {"POST", "/volumes", "volume_create", createVolume, Scope::App, required("main.createVolumeRequest")},
      {"GET", "", "volume_get", getVolume, Scope::Volume},
      {"PUT", "", "volume_update", updateVolume, Scope::Volume, required("main.updateVolumeRequest")},
      {"DELETE", "", "volume_delete", deleteVolume, Scope::Volume},
      {"PUT", "/extend", "volume_extend", extendVolume, Scope::Volume, required("main.extendVolumeRequest")},
      {"GET", "/snapshots", "snapshot_list", listSnapshots, Scope::Volume},
      {"POST", "/snapshots", "snapshot_create", createSnapshot, Scope::Volume},
  };
}

}  // namespace swarm::emulator
