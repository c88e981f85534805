// Looking into a storage, and removing what is in it.
#include "agent/clear_storage.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/format.h"
#include "base/utf8.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;
constexpr std::size_t kMaxStorageNames = 3;
constexpr std::string_view kLostAndFound = "lost+found";
/// What VS Code, shells and sudo make without being asked.
constexpr std::array<std::string_view, 8> kMadeByThemselves{
    kLostAndFound, ".local", ".config", ".cache", ".bash_history", ".lesshst", ".sudo_as_admin_successful", ".vscode-server"};

[[noreturn]] void fail(const fs::path& path, const std::error_code& error) {
  throw Error(ErrorCode::UpstreamFailed, format("{} could not be removed: {}.", toValidUtf8(path.native()), error.message()));
}

bool isAbove(const fs::path& path, const std::vector<fs::path>& kept) {
  return std::ranges::any_of(kept, [&](const fs::path& place) { return place.native().starts_with(path.native() + "/"); });
}

void clear(const fs::path& folder, const std::vector<fs::path>& kept, bool is_top) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) entries.push_back(entry->path());
  if (error) fail(folder, error);
  for (const fs::path& entry : entries) {
    if ((is_top && entry.filename() == kLostAndFound) || std::ranges::find(kept, entry) != kept.end()) continue;
    if (isAbove(entry, kept) && fs::is_directory(fs::symlink_status(entry, error))) {
      clear(entry, kept, false);
    } else if (fs::remove_all(entry, error); error) {
      fail(entry, error);
    }
  }
}

/// Folders alone are nobody's work: the image makes some.
bool holdsNothing(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(path, error))) return false;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (!holdsNothing(entry->path())) return false;
  }
  return !error;
}

}  // namespace

std::vector<std::string> namesOfWorkIn(const fs::path& storage, const fs::path& skeleton) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(storage, error), end; !error && entry != end && names.size() < kMaxStorageNames;
       entry.increment(error)) {
    std::string name = entry->path().filename();
    std::error_code ignored;
    bool expected = std::ranges::find(kMadeByThemselves, name) != kMadeByThemselves.end() ||
                    fs::exists(fs::symlink_status(skeleton / name, ignored)) || holdsNothing(entry->path());
    if (!expected) names.push_back(toValidUtf8(name));
  }
  return names;
}

void clearStorage(const fs::path& storage, const std::vector<fs::path>& kept) { clear(storage, kept, true); }

}  // namespace swarm::agent
