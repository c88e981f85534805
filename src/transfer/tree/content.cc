// XXH3 over chunks; SEEK_DATA for files that occupy less than their size.
#include "transfer/tree/content.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/text/format.h"

namespace swarm::transfer {
namespace {

[[noreturn]] void failReading() { throw std::system_error(errno, std::generic_category()); }

/// The start of data at or after `at`, at most `end`. Empty: the file system does not support the query.
std::optional<std::int64_t> nextData(int file, std::int64_t at, std::int64_t end) {
  const off_t found = ::lseek(file, at, SEEK_DATA);
  if (found < 0 && errno == ENXIO) return end;  // only a hole remains, or the file was truncated
  if (found < 0 && errno == EINVAL) return std::nullopt;
  if (found < 0) failReading();
  return std::min<std::int64_t>(found, end);
}

std::int64_t nextHole(int file, std::int64_t at, std::int64_t end) {
  const off_t found = ::lseek(file, at, SEEK_HOLE);
  return found < 0 ? end : std::min<std::int64_t>(found, end);
}

/// Reserved blocks that were never written read as zeros: the block count does not reveal holes.
bool hasHoles(int file, const struct stat& status) {
  if (status.st_size < static_cast<off_t>(kChunkBytes)) return static_cast<std::int64_t>(status.st_blocks) * 512 < status.st_size;
  return nextHole(file, 0, status.st_size) < status.st_size;
}

}  // namespace

Hash hashBytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

const Hash& hashOfHole() {
  static const Hash hash = [] {
    const std::vector<char> zeros(kChunkBytes);
    return hashBytes({zeros.data(), zeros.size()});
  }();
  return hash;
}

Hash hashContent(std::int64_t size, const HashRuns& chunks) {
  const std::unique_ptr<XXH3_state_t, decltype([](XXH3_state_t* state) { XXH3_freeState(state); })> state(XXH3_createState());
  XXH3_128bits_reset(state.get());
  std::string bytes;
  const auto put = [&](std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) bytes += static_cast<char>(value >> (8 * byte));
  };
  const auto flush = [&](std::size_t above) {
    if (bytes.size() <= above) return;
    XXH3_128bits_update(state.get(), bytes.data(), bytes.size());
    bytes.clear();
  };
  put(static_cast<std::uint64_t>(size));
  // Above 16 TiB, listing each chunk would take too long.
  constexpr std::uint64_t kMaxSaid = 1 << 24;
  const bool counted = chunks.chunks() > kMaxSaid;
  for (const HashRun& run : chunks.runs()) {
    if (counted) put(run.count);
    for (std::uint64_t copy = 0; copy < (counted ? 1 : run.count); ++copy) {
      put(run.hash.low);
      put(run.hash.high);
      flush(64 * 1024);
    }
  }
  flush(0);
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return {hash.high64, hash.low64};
}

std::string hexadecimal(const Hash& hash) { return format("{:016x}{:016x}", hash.high, hash.low); }

ChunkReader::ChunkReader(int file, const struct stat& status) : file_(file), size_(status.st_size), sparse_(hasHoles(file, status)) {}

std::uint64_t ChunkReader::holeChunks(std::int64_t offset) {
  if (!sparse_) return 0;
  const auto data = nextData(file_, offset, size_);
  if (!data) sparse_ = false;
  return data ? static_cast<std::uint64_t>(*data - offset) / kChunkBytes : 0;
}

std::size_t ChunkReader::lengthAt(std::int64_t offset) const {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(size_ - offset, 0, static_cast<std::int64_t>(kChunkBytes)));
}

std::size_t ChunkReader::readRange(std::int64_t offset, std::size_t length, char* out) const {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(file_, out + done, length - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) failReading();
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t ChunkReader::read(std::int64_t offset, char* out) {
  data_.clear();
  const std::size_t length = lengthAt(offset);
  const std::int64_t end = offset + static_cast<std::int64_t>(length);
  std::int64_t at = offset;
  while (at < end) {
    std::int64_t begin = at;
    std::int64_t stop = end;
    if (sparse_) {
      const auto data = nextData(file_, at, end);
      if (!data) {
        sparse_ = false;
        continue;
      }
      begin = *data;
      if (begin < end) stop = nextHole(file_, begin, end);
    }
    std::memset(out + (at - offset), 0, static_cast<std::size_t>(begin - at));
    if (begin == end) break;
    const std::size_t wanted = static_cast<std::size_t>(stop - begin);
    const std::size_t got = readRange(begin, wanted, out + (begin - offset));
    if (got > 0) data_.push_back({begin, static_cast<std::int64_t>(got)});
    if (got < wanted) return static_cast<std::size_t>(begin - offset) + got;
    at = stop;
  }
  return length;
}

Hash ChunkReader::hash(std::string_view chunk) const {
  return data_.empty() && chunk.size() == kChunkBytes ? hashOfHole() : hashBytes(chunk);
}

std::int64_t contentBytes(int directory, const std::string& name, const struct stat& status) {
  const std::int64_t occupied = std::min<std::int64_t>(status.st_size, static_cast<std::int64_t>(status.st_blocks) * 512);
  if (status.st_size < static_cast<off_t>(kChunkBytes)) return occupied;
  const Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return file.valid() ? contentBytes(file.get(), status) : occupied;
}

std::int64_t contentBytes(int file, const struct stat& status) {
  if (!hasHoles(file, status)) return status.st_size;
  std::int64_t bytes = 0;
  for (std::int64_t at = 0; at < status.st_size;) {
    const auto begin = nextData(file, at, status.st_size);
    if (!begin) return status.st_size;
    at = *begin < status.st_size ? nextHole(file, *begin, status.st_size) : status.st_size;
    bytes += at - *begin;
  }
  return bytes;
}

bool isUnchanged(const struct stat& before, const struct stat& after) {
  const auto same = [](const timespec& left, const timespec& right) {
    return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
  };
  return before.st_size == after.st_size && same(before.st_mtim, after.st_mtim) && same(before.st_ctim, after.st_ctim);
}

std::optional<FileHashes> ContentHasher::hash(int file, const struct stat& before, std::atomic<std::int64_t>& bytes_done) {
  if (auto known = cache_.find(before)) {
    bytes_done += contentBytes(file, before);
    return known;
  }
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  ChunkReader reader(file, before);
  FileHashes hashes;
  std::int64_t offset = 0;
  while (offset < reader.size()) {
    stop_.check();
    if (const std::uint64_t holes = reader.holeChunks(offset); holes > 0) {
      hashes.chunks.add(hashOfHole(), holes);
      offset += static_cast<std::int64_t>(holes * kChunkBytes);
      continue;
    }
    const std::size_t got = reader.read(offset, buffer_.get());
    if (got < reader.lengthAt(offset)) return std::nullopt;
    hashes.chunks.add(reader.hash({buffer_.get(), got}));
    for (const Extent& extent : reader.data()) bytes_done += extent.length;
    offset += static_cast<std::int64_t>(got);
  }
  struct stat after{};
  if (::fstat(file, &after) != 0) failReading();
  if (!isUnchanged(before, after)) return std::nullopt;
  hashes.content = hashContent(reader.size(), hashes.chunks);
  if (trust_.covers(after)) cache_.store(after, hashes);
  return hashes;
}

}  // namespace swarm::transfer
