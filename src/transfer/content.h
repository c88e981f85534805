// Reading files in chunks, with their holes, and hashing what was read.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "transfer/hash_cache.h"
#include "transfer/messages.h"
#include "transfer/storages.h"

namespace swarm::transfer {

Hash hashBytes(std::string_view bytes);
/// Of a whole file, from its chunks.
Hash hashContent(std::int64_t size, const HashRuns& chunks);
/// Of a chunk of zeros, in full length.
const Hash& hashOfHole();
std::string hexadecimal(const Hash& hash);

struct Extent {
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// One open file, read chunk by chunk. Throws std::system_error.
class ChunkReader {
 public:
  ChunkReader(int file, const struct stat& status);

  std::int64_t size() const { return size_; }
  std::size_t lengthAt(std::int64_t offset) const;
  /// How many whole chunks from `offset` on are one hole: they need not be read.
  std::uint64_t holeChunks(std::int64_t offset);
  /// Reads the chunk at `offset` into `out` (lengthAt(offset) bytes), holes as zeros. Gives less when the file has become shorter.
  std::size_t read(std::int64_t offset, char* out);
  /// Where the chunk read last has data; the rest of it is a hole.
  const std::vector<Extent>& data() const { return data_; }
  /// The hash of the chunk read last; a chunk that is one hole costs nothing.
  Hash hash(std::string_view chunk) const;

 private:
  std::size_t readRange(std::int64_t offset, std::size_t length, char* out) const;

  int file_;
  std::int64_t size_;
  bool sparse_;
  std::vector<Extent> data_;
};

/// How much of an open file's content is no hole, without reading it.
std::int64_t contentBytes(int file, const struct stat& status);
std::int64_t contentBytes(int directory, const std::string& name, const struct stat& status);  ///< the same of a file by its name

/// Whether a file is what it was: same size and times.
bool isUnchanged(const struct stat& before, const struct stat& after);

/// Reads files to their ends for their hashes, with a cache. For one thread.
class ContentHasher {
 public:
  ContentHasher(HashCache& cache, const Trust& trust, const StopFlag& stop) : cache_(cache), trust_(trust), stop_(stop) {}

  /// Empty when the file changed while it was read. Throws std::system_error. `bytes_done` grows with what was read.
  std::optional<FileHashes> hash(int file, const struct stat& before, std::atomic<std::int64_t>& bytes_done);

 private:
  HashCache& cache_;
  const Trust& trust_;
  const StopFlag& stop_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace swarm::transfer
