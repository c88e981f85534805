// The data folder: its modes, and the lock that keeps a second server out.
#pragma once

#include <filesystem>

#include "base/files/descriptor.h"

namespace swarm::sqlite {

/// Owns the lock on a data folder. It is a kernel lock (flock), so a killed server does not leave one behind.
class DataDir {
 public:
  /// Creates the folder (0700) and the empty database file (0600) if they are missing. Throws Error(Conflict, PermissionDenied,
  /// OutOfResources, Unprocessable).
  explicit DataDir(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path databaseFile() const { return path_ / "swarm.db"; }
  /// Throws Error(OutOfResources, Unavailable) when the disk does not accept another file of 1 MiB in that folder. Leaves none. SQLite
  /// reuses the space of its files, and so notices a full disk late.
  static void checkSpace(const std::filesystem::path& folder);

 private:
  void makeFolder();
  void takeLock();
  void makeDatabaseFile();

  std::filesystem::path path_;
  Descriptor lock_;
};

}  // namespace swarm::sqlite
