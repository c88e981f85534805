// Detects user files that would be lost when an archive replaces a storage's contents.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::agent {

/// Some names in a storage that may be a user's work; excludes what a fresh home has from `skeleton`, what VS Code creates automatically,
/// and folders without files. Empty: replacing it loses nothing.
std::vector<std::string> namesOfWorkIn(const std::filesystem::path& storage, const std::filesystem::path& skeleton);

}  // namespace swarm::agent
