// HashCache: hashes of file contents, kept from one pass and one session to the next.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "transfer/hash/hashes.h"
#include "transfer/tree/storages.h"

namespace swarm::transfer {

/// The hash of each chunk of a file, and of the whole (a hash of size and chunk hashes).
struct FileHashes {
  Hash content;
  HashRuns chunks;
};

/// Records are valid only while size, mtime and ctime are unchanged since the file was READ. Thread-safe. Bounded: files that do not fit
/// are read again.
class HashCache {
 public:
  explicit HashCache(std::size_t limit_bytes = 16 * 1024 * 1024);

  /// Starts a pass over all files: records that the last two passes did not use may be evicted.
  void beginPass();
  std::optional<FileHashes> find(const struct stat& status);
  void store(const struct stat& status, const FileHashes& hashes);
  std::size_t bytes() const;

 private:
  struct Key {
    dev_t device;
    ino_t inode;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.inode * 0x9e3779b97f4a7c15 ^ key.device; }
  };
  struct Record {
    std::int64_t size = 0;
    std::int64_t mtime = 0;
    std::int64_t ctime = 0;
    std::uint32_t pass = 0;
    FileHashes hashes;
  };
  static std::size_t costOf(const FileHashes& hashes);
  void dropOld();

  mutable std::mutex mutex_;
  std::unordered_map<Key, Record, KeyHash> records_;
  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::uint32_t pass_ = 0;
  bool dropped_ = false;
};

/// Decides which files' hashes may be cached. A store through mmap to a page that is already dirty does not change ctime; syncfs()
/// write-protects pages, so that later stores do. Hence a hash may be cached if the file was read after a syncfs() and is older than it.
class Trust {
 public:
  enum class Sync { Needed, WritersStopped };
  /// Starts a pass: calls syncfs() on the storages' file systems, unless all writers are stopped.
  Trust(const std::vector<Storage>& storages, Sync sync);
  bool covers(const struct stat& status) const;

 private:
  std::int64_t before_;  ///< nanoseconds since the epoch
};

}  // namespace swarm::transfer
