// Emptying a storage before an archive takes its place.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::agent {

/// A few names in a storage that a person's work may stand behind: what a fresh home has from `skeleton`, what VS Code makes by itself,
/// and folders without a file do not count. Empty: nothing is lost when it is replaced.
std::vector<std::string> namesOfWorkIn(const std::filesystem::path& storage, const std::filesystem::path& skeleton);

/// Removes all in `storage` but lost+found and the `kept` places (absolute, other mounts) within. Never follows a symbolic link. Blocks.
/// Throws Error.
void clearStorage(const std::filesystem::path& storage, const std::vector<std::filesystem::path>& kept);

}  // namespace swarm::agent
