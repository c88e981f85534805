// Internal to Staging: the contents of one storage's staging folder, and the two halves of the exchange. Each can be repeated after a
// crash.
#pragma once

#include <functional>
#include <string>

#include "transfer/tree/storages.h"

namespace swarm::agent {

/// Called after each change; for tests.
using Passed = std::function<void()>;

// In the staging folder.
inline constexpr const char* kStagedPlan = "plan";            ///< storages of this import, and mounts that stay in place
inline constexpr const char* kStagedNew = "new";              ///< the unpacked files
inline constexpr const char* kStagedOld = "old";              ///< the previous files
inline constexpr const char* kStagedTop = "top";              ///< an empty folder with the facts of the storage's top
inline constexpr const char* kStagedCommitted = "committed";  ///< in the first storage only: the import is committed
inline constexpr const char* kStagedEmptied = "emptied";      ///< all previous files are in "old"

/// Whether another mount is below `path`. Neither it nor the folders above it can be moved.
bool isAboveMount(const transfer::Storage& storage, const std::string& path);
/// The staging folder of a storage. Invalid: there is none, or the entry with that name was not created by an import.
Descriptor openStaging(const transfer::Storage& storage);
std::string stagedText(int staging, const char* name);                   ///< empty when the file does not exist
void writeStaged(int staging, const char* name, std::string_view text);  ///< atomic and durable
/// Moves the existing entries into "old".
void moveOut(const transfer::Storage& storage, int staging, const Passed& passed);
/// Moves "new" to the storage's top, and sets its facts on the top.
void moveIn(const transfer::Storage& storage, int staging, const Passed& passed);
/// Removes the staging folder with its contents.
void removeStaging(const transfer::Storage& storage, const Passed& passed);
/// The same for a staging folder that was just created. A folder with any other content is not ours, and stays.
void removeUnplanned(const transfer::Storage& storage, int staging);

}  // namespace swarm::agent
