// Looking for what a person would miss when an archive takes a storage's place.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::agent {

/// A few names in a storage that a person's work may stand behind: what a fresh home has from `skeleton`, what VS Code makes by itself,
/// and folders without a file do not count. Empty: nothing is lost when it is replaced.
std::vector<std::string> namesOfWorkIn(const std::filesystem::path& storage, const std::filesystem::path& skeleton);

}  // namespace swarm::agent
