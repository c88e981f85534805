// Names that are expected in a fresh storage do not count.
#include "agent/files/storage_work.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "agent/archive/staging.h"
#include "base/text/utf8.h"
#include "transfer/tree/storages.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;
constexpr std::size_t kMaxStorageNames = 3;
/// Created automatically by VS Code, shells and sudo.
constexpr std::array<std::string_view, 8> kAutomaticNames{
    kStagingName, ".local", ".config", ".cache", ".bash_history", ".lesshst", ".sudo_as_admin_successful", ".vscode-server"};

/// Empty folders do not count: the image creates some.
bool holdsNothing(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(path, error))) return false;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (!holdsNothing(entry->path())) return false;
  }
  return !error;
}

bool isFileSystems(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && transfer::isLostAndFound(path.filename().native(), status);
}

}  // namespace

std::vector<std::string> namesOfWorkIn(const fs::path& storage, const fs::path& skeleton) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(storage, error), end; !error && entry != end && names.size() < kMaxStorageNames;
       entry.increment(error)) {
    std::string name = entry->path().filename();
    std::error_code ignored;
    bool expected = std::ranges::find(kAutomaticNames, name) != kAutomaticNames.end() ||
                    fs::exists(fs::symlink_status(skeleton / name, ignored)) || isFileSystems(entry->path()) || holdsNothing(entry->path());
    if (!expected) names.push_back(toValidUtf8(name));
  }
  return names;
}

}  // namespace swarm::agent
