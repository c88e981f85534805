// The storages of a session, open; and the walk over them in the canonical order that both agents keep to.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "transfer/files.h"
#include "transfer/link.h"

namespace swarm::transfer {

struct Storage {
  std::string mountPath;
  Descriptor top;
  dev_t device = 0;
  std::set<std::string, std::less<>> leftOut;  ///< paths below the top that belong to others
  bool leavesLostAndFound = false;             ///< whatever has this name at the top stays, a person's own too

  std::string describe(std::string_view directory, std::string_view name = {}) const { return describePath(mountPath, directory, name); }
};

/// Sorted by mount path. Throws Error(Unprocessable) that names a storage that can't be opened.
std::vector<Storage> openStorages(const Scope& scope, const std::filesystem::path& root);

/// A session that was cut, superseded or cancelled: thrown through its threads, which then end.
struct Stopped {};

/// Asked for at every entry and chunk.
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

/// What is at `name` of a directory, as a walk sees it.
struct Sight {
  /// FileSystems: the file system's own folder. It neither moves nor is removed; a person is told of it.
  enum class Kind { Carried, LeftOut, FileSystems, Vanished, Skipped } kind = Kind::Vanished;
  struct stat status{};
  const char* reason = "";  ///< why it is skipped
  int error = 0;            ///< an errno when it is skipped because it can't be looked at
  bool isNoteworthy() const { return kind == Kind::Skipped || kind == Kind::FileSystems; }
};
/// LeftOut: not ours to touch or to mention (other mount paths). Skipped: can't be carried, and a person should know.
Sight lookAt(const Storage& storage, int directory, const std::string& path, const std::string& name);

/// Whether what is at a storage's top is the folder that a file system keeps for itself (fsck puts what it finds into it), and not a
/// person's of that name.
bool isLostAndFound(std::string_view name, const struct stat& status);

std::string join(const std::string& directory, const std::string& name);

/// Removes `name` of a directory with all that is in it, but what is left out or on other file systems. False when something had to stay.
/// `deleted` grows by what was removed.
bool removeTree(const Storage& storage, int directory, const std::string& path, const std::string& name, const StopFlag& stop,
                std::int64_t& deleted);

/// Opens a directory of the target, which must be there; one that its own user may not use is made usable. Throws Error.
Descriptor openTargetDirectory(const Storage& storage, const std::string& path);

/// What a walk shows its user: one directory at a time, before what is below it.
struct VisitedDirectory {
  std::size_t storage = 0;
  const std::string& path;
  int directory;
  const struct stat& status;
  std::vector<std::string> names;  ///< sorted; may be taken
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  /// Gives the names of the directories to go into, in order.
  virtual std::vector<std::string> visit(VisitedDirectory directory) = 0;
  /// A directory that was there a moment ago can't be opened or read.
  virtual void unreadable(std::size_t storage, const std::string& path, int error) = 0;
};

/// Depth first, names sorted as bytes, a directory before what is in it. Never follows a symbolic link, stays on each storage's file
/// system.
void walk(const std::vector<Storage>& storages, Visitor& visitor, const StopFlag& stop);

/// Errors that mean: it was there a moment ago, and something else or nothing has its name now.
bool isVanished(int error);

/// Notes for reports: the first 100, and how many there were.
class Notes {
 public:
  void add(std::string path, std::string reason);
  std::vector<Note> first;
  std::int64_t count = 0;
};

ScanReport scanStorages(const std::vector<Storage>& storages, std::atomic<std::int64_t>& files, std::atomic<std::int64_t>& bytes,
                        const StopFlag& stop);

/// Identifies a file with several names.
using FileId = std::pair<dev_t, ino_t>;

}  // namespace swarm::transfer
