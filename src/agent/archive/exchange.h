// Internal to Staging: what one storage's staging folder holds, and the two halves of the exchange. Each can be done again after a crash.
#pragma once

#include <functional>
#include <string>

#include "transfer/storages.h"

namespace swarm::agent {

/// Called after each change; for tests.
using Passed = std::function<void()>;

// In the staging folder.
inline constexpr const char* kStagedPlan = "plan";            ///< which storages belong together, and which mounts stay
inline constexpr const char* kStagedNew = "new";              ///< what was unpacked
inline constexpr const char* kStagedOld = "old";              ///< what was there before
inline constexpr const char* kStagedTop = "top";              ///< an empty folder with the facts of the storage's top
inline constexpr const char* kStagedCommitted = "committed";  ///< in the first storage only: it is decided
inline constexpr const char* kStagedEmptied = "emptied";      ///< all that was there before is in "old"

/// Whether another mount is below `path`. That can't be moved, and neither may the folders above it be.
bool isAboveMount(const transfer::Storage& storage, const std::string& path);
/// The staging folder of a storage. Invalid: there is none, or what has its name is not ours.
transfer::Descriptor openStaging(const transfer::Storage& storage);
std::string stagedText(int staging, const char* name);                   ///< empty when there is no such file
void writeStaged(int staging, const char* name, std::string_view text);  ///< whole and on the disk, or not there
/// Moves what is there into "old".
void moveOut(const transfer::Storage& storage, int staging, const Passed& passed);
/// Moves "new" to the storage's top, and gives that its facts.
void moveIn(const transfer::Storage& storage, int staging, const Passed& passed);
/// Removes the staging folder with all that is in it.
void removeStaging(const transfer::Storage& storage, const Passed& passed);
/// The same of one that was just begun. With anything else in it, it is not ours, and stays.
void removeUnplanned(const transfer::Storage& storage, int staging);

}  // namespace swarm::agent
