#include "provider/flyio/volume/storage_record.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "base/text/json_access.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {
namespace {

json::array entriesToJson(const std::vector<StorageEntry>& entries) {
  json::array list;
  for (const StorageEntry& entry : entries) {
    list.push_back(json::object{{"name", entry.name},
                                {"path", entry.mountPath},
                                {"persistent", entry.persistent},
                                {"instance", entry.placeId.str()},
                                {"owner", entry.owner},
                                {"mounted", entry.isMounted}});
  }
  return list;
}

std::vector<StorageEntry> entriesOf(const json::array& list) {
  std::vector<StorageEntry> entries;
  for (const json::value& item : list) {
    entries.push_back({stringAt(item, "name"), stringAt(item, "path"), boolAt(item, "persistent"), PlaceId(stringAt(item, "instance")),
                       stringAt(item, "owner"), boolAt(item, "mounted")});
  }
  return entries;
}

std::string described(const Volume& volume) { return format("{} (created {})", volume.id, formatTime(volume.createdAt)); }

}  // namespace

std::string writeStorage(const std::vector<StorageEntry>& entries) { return json::serialize(entriesToJson(entries)); }

std::vector<StorageEntry> readStorage(const std::string& text) {
  json::value parsed = parseOrNull(text);
  return parsed.is_array() ? entriesOf(parsed.as_array()) : std::vector<StorageEntry>{};
}

std::string writeRecord(const StorageRecord& record) {
  json::object written{{"entries", entriesToJson(record.entries)}};
  if (!record.volumeId.empty()) written["volume"] = record.volumeId;
  if (!record.copyName.empty()) written["copy"] = record.copyName;
  return json::serialize(written);
}

StorageRecord readRecord(const std::string& text) {
  json::value parsed = parseOrNull(text);
  if (parsed.is_array()) return {entriesOf(parsed.as_array()), {}, {}};
  return {entriesOf(arrayAt(parsed, "entries")), stringAt(parsed, "volume"), stringAt(parsed, "copy")};
}

bool isAbandonedCopy(const Volume& volume, const StorageRecord& record) {
  return !record.copyName.empty() && volume.name == record.copyName && volume.id != record.volumeId && volume.machineId.empty();
}

VolumeChoice chooseVolume(std::vector<Volume> volumes, const std::string& mounted, const StorageRecord& record,
                          const std::vector<ExternalResource>& known) {
  VolumeChoice choice;
  std::erase_if(volumes, [](const Volume& volume) { return isReader(volume); });
  auto take = [&](const std::string& id) {
    auto found = std::ranges::find(volumes, id, &Volume::id);
    if (id.empty() || found == volumes.end()) return false;
    choice.data = std::move(*found);
    volumes.erase(found);
    return true;
  };
  const std::string& certain = mounted.empty() ? record.volumeId : mounted;
  if (!certain.empty() && !take(certain)) choice.missing = certain;
  bool is_open = certain.empty();
  for (auto resource = known.rbegin(); is_open && resource != known.rend(); ++resource) {
    if (resource->kind == ResourceKind::volume) is_open = !take(resource->id);
  }
  auto is_ours = [](const Volume& volume) { return generationOf(volume) >= 0; };
  if (is_open && std::ranges::count_if(volumes, is_ours) == 1) {
    std::string only = std::ranges::find_if(volumes, is_ours)->id;
    take(only);
  }
  choice.strays = std::move(volumes);
  return choice;
}

std::string usedVolume(const std::vector<ExternalResource>& known) {
  auto machine = std::find_if(known.rbegin(), known.rend(), [](const ExternalResource& one) { return one.kind == ResourceKind::machine; });
  auto volume = std::find_if(known.rbegin(), known.rend(), [](const ExternalResource& one) { return one.kind == ResourceKind::volume; });
  return machine == known.rend() || volume == known.rend() ? "" : volume->id;
}

std::optional<Error> ambiguityOf(const VolumeChoice& choice, const std::string& app) {
  std::string others;
  for (const Volume& volume : choice.strays) {
    if (generationOf(volume) >= 0) others += (others.empty() ? "" : ", ") + described(volume);
  }
  if (!choice.missing.empty()) {
    return Error(ErrorCode::Conflict,
                 format("The volume {}, which has the files, no longer exists on Fly; the app {} has {}. Nothing was changed: another "
                        "volume is never mounted in its place. Restore a snapshot of it, or delete the volume to begin without its files.",
                        choice.missing, app, others.empty() ? "no other volume" : others));
  }
  if (choice.data || others.empty()) return std::nullopt;
  return Error(ErrorCode::Conflict,
               format("The app {} has several volumes of one name, and no record says which one has the files: {}. Nothing was "
                      "changed. Inspect them on Fly, delete the one without the files (swarm volumes delete vol_…) and try "
                      "again.",
                      app, others));
}

}  // namespace swarm::flyio
