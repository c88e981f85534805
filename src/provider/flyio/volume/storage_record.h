// An app's record of its volume, and which of several volumes has the files. Volume names are not unique on Fly: a request that a proxy
// performs twice creates two of one name, which only a recorded id distinguishes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/volume.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// One StorageConfig: a folder of the instance's one volume, which the agent binds to its mount path.
struct StorageEntry {
  std::string name;
  std::string mountPath;
  bool persistent = true;
  PlaceId placeId;  ///< the instance that it was created for
  std::string owner;
  bool isMounted = true;  ///< false: an earlier instance left it on the volume
};
std::string writeStorage(const std::vector<StorageEntry>& entries);
std::vector<StorageEntry> readStorage(const std::string& text);  ///< empty for anything else

/// The app's record (the secret kStorageSecret): volumes have no metadata, and may outlive their Machine.
struct StorageRecord {
  std::vector<StorageEntry> entries;
  std::string volumeId;  ///< the volume that has their files; empty: unknown yet, or written by a version that recorded no ids
  std::string copyName;  ///< a copy is being created under this name; without a Machine it has no value
};
std::string writeRecord(const StorageRecord& record);
StorageRecord readRecord(const std::string& text);  ///< also reads the list of entries of earlier versions
/// An abandoned copy: no Machine uses it, and its source has the files.
bool isAbandonedCopy(const Volume& volume, const StorageRecord& record);

/// The volumes of an app except readers', sorted by role.
struct VolumeChoice {
  std::optional<Volume> data;  ///< has or will have the instance's files
  std::string missing;         ///< id of the volume that had the files and no longer exists
  std::vector<Volume> strays;  ///< the others
};
/// `mounted`: by the instance's Machine; empty without one. `known`: what earlier calls recorded, oldest first.
VolumeChoice chooseVolume(std::vector<Volume> volumes, const std::string& mounted, const StorageRecord& record,
                          const std::vector<ExternalResource>& known);
/// The recorded volume that had the instance's files: one that a Machine was created on. Empty: none.
std::string usedVolume(const std::vector<ExternalResource>& known);
/// Why the volume with the files cannot be determined; empty if it can.
std::optional<Error> ambiguityOf(const VolumeChoice& choice, const std::string& app);

}  // namespace swarm::flyio
