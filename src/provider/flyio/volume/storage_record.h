// What an app says of its volume, and which of several volumes that is. Names of volumes are not unique at Fly: a request that a proxy
// performs twice makes two of one name, so that only a recorded id tells them apart. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "provider/flyio/api/fly_types.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// One StorageConfig: a folder of the instance's one volume, which the agent binds to its mount path.
struct StorageEntry {
  std::string name;
  std::string mountPath;
  bool persistent = true;
  std::string instanceId;  ///< the one it was made for
  std::string owner;
  bool isMounted = true;  ///< false: lies on the instance's volume since an earlier instance, and is none of its own
};
std::string writeStorage(const std::vector<StorageEntry>& entries);
std::vector<StorageEntry> readStorage(const std::string& text);  ///< lenient: nothing for what is no record

/// The app's own record (the secret kStorageSecret): volumes carry no metadata, and one may outlive its Machine.
struct StorageRecord {
  std::vector<StorageEntry> entries;
  std::string volumeId;  ///< has their files; empty: not known yet, or written by a version that recorded no ids
  std::string copyName;  ///< a copy is being made under this name; without a Machine on it, it has no value
};
std::string writeRecord(const StorageRecord& record);
StorageRecord readRecord(const std::string& text);  ///< also the list of entries that earlier versions wrote
/// A copy that was given up: no Machine is on it, and its source has the files.
bool isAbandonedCopy(const Volume& volume, const StorageRecord& record);

/// The volumes of an app but readers', told apart.
struct VolumeChoice {
  std::optional<Volume> data;  ///< has the instance's files, or is to get them
  std::string missing;         ///< the id that has the files, and is not there
  std::vector<Volume> strays;  ///< the others
};
/// `mounted`: by the instance's Machine; empty without one. `known`: what earlier calls recorded, oldest first.
VolumeChoice chooseVolume(std::vector<Volume> volumes, const std::string& mounted, const StorageRecord& record,
                          const std::vector<ExternalResource>& known);
/// The volume that had the instance's files, by what was recorded: one that a Machine was made on. Empty: none had.
std::string usedVolume(const std::vector<ExternalResource>& known);
/// Why no volume of the app may be taken for the one with the files; nothing where it is clear.
std::optional<Error> ambiguityOf(const VolumeChoice& choice, const std::string& app);

}  // namespace swarm::flyio
