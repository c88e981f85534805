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

/// `whence`: SEEK_DATA or SEEK_HOLE. Nothing found: `end`. A file system without these calls has data everywhere.
std::int64_t seek(int file, std::int64_t at, std::int64_t end, int whence) {
  const off_t found = ::lseek(file, at, whence);
  if (found >= 0) return std::min<std::int64_t>(found, end);
  if (whence == SEEK_HOLE || errno == ENXIO) return end;  // ENXIO: only a hole remains, or the file was truncated
  if (errno != EINVAL) failReading();
  return at;
}

/// Reserved blocks that were never written read as zeros: the block count does not reveal holes.
bool hasHoles(int file, const struct stat& status) {
  if (status.st_size < static_cast<off_t>(kChunkBytes)) return static_cast<std::int64_t>(status.st_blocks) * 512 < status.st_size;
  return seek(file, 0, status.st_size, SEEK_HOLE) < status.st_size;
}

}  // namespace

Extent nextExtent(int file, std::int64_t at, std::int64_t end) {
  std::int64_t begin = seek(file, at, end, SEEK_DATA);
  while (begin < end) {
    const std::int64_t hole = seek(file, begin, end, SEEK_HOLE);
    if (hole > begin) return {begin, hole - begin};
    begin = seek(file, begin, end, SEEK_DATA);  // a hole was punched there between the two calls
  }
  return {end, 0};
}

std::size_t readAt(int file, std::int64_t offset, std::size_t length, char* out) {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(file, out + done, length - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) failReading();
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

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
  Encoder bytes;
  bytes.fixed(static_cast<std::uint64_t>(size));
  // Above 16 TiB, listing each chunk would take too long.
  constexpr std::uint64_t kMaxSaid = 1 << 24;
  const bool counted = chunks.chunks() > kMaxSaid;
  for (const HashRun& run : chunks.runs()) {
    if (counted) bytes.fixed(run.count);
    for (std::uint64_t copy = 0; copy < (counted ? 1 : run.count); ++copy) {
      bytes.fixed(run.hash.low).fixed(run.hash.high);
      if (bytes.text().size() <= 64 * 1024) continue;
      XXH3_128bits_update(state.get(), bytes.text().data(), bytes.text().size());
      bytes = {};
    }
  }
  XXH3_128bits_update(state.get(), bytes.text().data(), bytes.text().size());
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return {hash.high64, hash.low64};
}

std::string hexadecimal(const Hash& hash) { return format("{:016x}{:016x}", hash.high, hash.low); }

ChunkReader::ChunkReader(int file, const struct stat& status) : file_(file), size_(status.st_size), sparse_(hasHoles(file, status)) {}

std::uint64_t ChunkReader::holeChunks(std::int64_t offset) const {
  return sparse_ ? static_cast<std::uint64_t>(seek(file_, offset, size_, SEEK_DATA) - offset) / kChunkBytes : 0;
}

std::size_t ChunkReader::lengthAt(std::int64_t offset) const {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(size_ - offset, 0, static_cast<std::int64_t>(kChunkBytes)));
}

std::size_t ChunkReader::read(std::int64_t offset, char* out) {
  data_.clear();
  const std::size_t length = lengthAt(offset);
  const std::int64_t end = offset + static_cast<std::int64_t>(length);
  for (std::int64_t at = offset; at < end;) {
    const Extent data = sparse_ ? nextExtent(file_, at, end) : Extent{at, end - at};
    std::memset(out + (at - offset), 0, static_cast<std::size_t>(data.offset - at));
    if (data.length == 0) break;
    const auto wanted = static_cast<std::size_t>(data.length);
    const std::size_t got = readAt(file_, data.offset, wanted, out + (data.offset - offset));
    if (got > 0) data_.push_back({data.offset, static_cast<std::int64_t>(got)});
    if (got < wanted) return static_cast<std::size_t>(data.offset - offset) + got;
    at = data.offset + data.length;
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
  Extent data;
  while ((data = nextExtent(file, data.offset + data.length, status.st_size)).length > 0) bytes += data.length;
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
