// The open storages of a session, and the walk over them in the canonical order that both agents use.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "transfer/tree/files.h"
#include "transfer/wire/link.h"

namespace swarm::transfer {

struct Storage {
  std::string mountPath;
  Descriptor top;
  dev_t device = 0;
  std::set<std::string, std::less<>> leftOut;  ///< paths below the top that belong to other mounts
  bool leavesLostAndFound = false;             ///< exclude every entry with this name at the top, even a user's own

  std::string describe(std::string_view directory, std::string_view name = {}) const { return describePath(mountPath, directory, name); }
};

/// Sorted by mount path. Throws Error(Unprocessable), naming the storage, when one cannot be opened.
std::vector<Storage> openStorages(const Scope& scope, const std::filesystem::path& root);

/// Thrown through the threads of a session that was lost, superseded or cancelled, to end them.
struct Stopped {};

/// Checked at every entry and chunk.
class StopFlag {
 public:
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  void check() const {
    if (stopped_) throw Stopped{};
  }

 private:
  std::atomic<bool> stopped_ = false;
};

/// The entry at `name` of a directory, as a walk sees it.
struct Sight {
  /// FileSystems: the file system's own folder. It is neither moved nor removed, but reported.
  enum class Kind { Carried, LeftOut, FileSystems, Vanished, Skipped } kind = Kind::Vanished;
  struct stat status{};
  const char* reason = "";  ///< why it is skipped
  int error = 0;            ///< an errno when it is skipped because it cannot be examined
  bool isNoteworthy() const { return kind == Kind::Skipped || kind == Kind::FileSystems; }
};
/// LeftOut: must be neither touched nor reported (other mount paths). Skipped: cannot be transferred, and is reported.
Sight examine(const Storage& storage, int directory, const std::string& path, const std::string& name);

/// Whether the entry at a storage's top is the file system's own folder (where fsck puts what it recovers), not a user's folder of that
/// name.
bool isLostAndFound(std::string_view name, const struct stat& status);

std::string join(const std::string& directory, const std::string& name);

/// Removes `name` of a directory with its contents, except what is left out or on other file systems. False when something remained. Adds
/// the number of removed entries to `deleted`.
bool removeTree(const Storage& storage, int directory, const std::string& path, const std::string& name, const StopFlag& stop,
                std::int64_t& deleted);

/// Opens an existing directory of the target; makes it accessible if its owner may not use it. Throws Error.
Descriptor openTargetDirectory(const Storage& storage, const std::string& path);

struct VisitedDirectory {
  std::size_t storage = 0;
  const std::string& path;
  int directory;
  const struct stat& status;
};

/// Callbacks of a walk.
class Visitor {
 public:
  virtual ~Visitor() = default;
  /// A directory, before its contents.
  virtual void enter(const VisitedDirectory& directory) = 0;
  /// Its entries, in order. Returns whether to enter this one, a directory, after the others.
  virtual bool entry(const VisitedDirectory& directory, const std::string& name, const Sight& sight) = 0;
  virtual void leave() {}  ///< after the last entry of a directory
  /// A directory that existed a moment ago cannot be opened or read.
  virtual void unreadable(std::size_t storage, const std::string& path, int error) = 0;
};

/// Depth first, names sorted bytewise, a directory before its contents. Never follows a symbolic link, stays on each storage's file system.
void walk(const std::vector<Storage>& storages, Visitor& visitor, const StopFlag& stop);

/// Errors that mean: the entry existed a moment ago, and was removed or replaced since.
bool isVanished(int error);

/// Notes for reports: the first 100, and the total number. Threads may add concurrently.
class Notes {
 public:
  void add(std::string path, std::string reason);
  std::vector<Note> first;
  std::int64_t count = 0;

 private:
  std::mutex mutex_;
};

ScanReport scanStorages(const std::vector<Storage>& storages, std::atomic<std::int64_t>& files, std::atomic<std::int64_t>& bytes,
                        const StopFlag& stop);

/// Identifies a file with several names.
using FileId = std::pair<dev_t, ino_t>;

}  // namespace swarm::transfer
