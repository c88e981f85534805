// Reading files in chunks, with their holes, and hashing the content read.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "transfer/hash/hash_cache.h"
#include "transfer/tree/storages.h"

namespace swarm::transfer {

Hash hashBytes(std::string_view bytes);
/// The hash of a whole file, from its chunks.
Hash hashContent(std::int64_t size, const HashRuns& chunks);
/// The hash of a full-length chunk of zeros.
const Hash& hashOfHole();
std::string hexadecimal(const Hash& hash);

struct Extent {
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// The first data range of an open file between `at` and `end`; without one its length is 0, at `end`. Throws std::system_error.
Extent nextExtent(int file, std::int64_t at, std::int64_t end);
/// Reads up to `length` bytes; less at the file's end. Throws std::system_error.
std::size_t readAt(int file, std::int64_t offset, std::size_t length, char* out);

/// One open file, read chunk by chunk. Throws std::system_error.
class ChunkReader {
 public:
  ChunkReader(int file, const struct stat& status);

  std::int64_t size() const { return size_; }
  std::size_t lengthAt(std::int64_t offset) const;
  /// The number of whole chunks from `offset` on that belong to one hole: they need not be read.
  std::uint64_t holeChunks(std::int64_t offset) const;
  /// Reads the chunk at `offset` into `out` (lengthAt(offset) bytes), holes as zeros. Returns less when the file was truncated.
  std::size_t read(std::int64_t offset, char* out);
  /// The data ranges of the last chunk read; the rest of it is a hole.
  const std::vector<Extent>& data() const { return data_; }
  /// The hash of the last chunk read; free for a chunk that is one hole.
  Hash hash(std::string_view chunk) const;

 private:
  int file_;
  std::int64_t size_;
  bool sparse_;
  std::vector<Extent> data_;
};

/// The number of bytes of an open file outside of holes, without reading it.
std::int64_t contentBytes(int file, const struct stat& status);
std::int64_t contentBytes(int directory, const std::string& name, const struct stat& status);  ///< the same for a file given by name

/// Whether a file is unchanged: same size and times.
bool isUnchanged(const struct stat& before, const struct stat& after);

/// Reads files to their ends to hash them, with a cache. For one thread.
class ContentHasher {
 public:
  ContentHasher(HashCache& cache, const Trust& trust, const StopFlag& stop) : cache_(cache), trust_(trust), stop_(stop) {}

  /// Empty when the file changed while it was read. Throws std::system_error. `bytes_done` is incremented by the bytes read.
  std::optional<FileHashes> hash(int file, const struct stat& before, std::atomic<std::int64_t>& bytes_done);

 private:
  HashCache& cache_;
  const Trust& trust_;
  const StopFlag& stop_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace swarm::transfer
