// XXH3 over chunks; SEEK_DATA for files that occupy less than their size.
#include "transfer/content.h"

#include <errno.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/format.h"

namespace swarm::transfer {
namespace {

[[noreturn]] void failReading() { throw std::system_error(errno, std::generic_category()); }

Hash ofZeros() {
  const std::vector<char> zeros(kChunkBytes);
  return hashBytes({zeros.data(), zeros.size()});
}

}  // namespace

Hash hashBytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Hash hashContent(std::int64_t size, const std::vector<Hash>& chunks) {
  std::string bytes(8 + 16 * chunks.size(), '\0');
  std::size_t at = 0;
  const auto put = [&](std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) bytes[at++] = static_cast<char>(value >> (8 * byte));
  };
  put(static_cast<std::uint64_t>(size));
  for (const Hash& hash : chunks) {
    put(hash.low);
    put(hash.high);
  }
  return hashBytes(bytes);
}

std::string hexadecimal(const Hash& hash) { return format("{:016x}{:016x}", hash.high, hash.low); }

ChunkReader::ChunkReader(int file, const struct stat& status)
    : file_(file), size_(status.st_size), sparse_(static_cast<std::int64_t>(status.st_blocks) * 512 < status.st_size) {}

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
      begin = ::lseek(file_, at, SEEK_DATA);
      if (begin < 0 && errno == ENXIO) begin = end;  // only a hole is left, or the file has become shorter
      if (begin < 0 && errno == EINVAL) {
        sparse_ = false;
        continue;
      }
      if (begin < 0) failReading();
      begin = std::min(begin, end);
      if (begin < end) stop = ::lseek(file_, begin, SEEK_HOLE);
      if (stop < 0) stop = end;
      stop = std::min(stop, end);
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
  static const Hash zeros = ofZeros();
  return data_.empty() && chunk.size() == kChunkBytes ? zeros : hashBytes(chunk);
}

bool isUnchanged(const struct stat& before, const struct stat& after) {
  const auto same = [](const timespec& left, const timespec& right) {
    return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
  };
  return before.st_size == after.st_size && same(before.st_mtim, after.st_mtim) && same(before.st_ctim, after.st_ctim);
}

std::optional<FileHashes> ContentHasher::hash(int file, const struct stat& before, std::atomic<std::int64_t>& bytes_done) {
  if (auto known = cache_.find(before)) {
    bytes_done += occupiedContent(before);
    return known;
  }
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  ChunkReader reader(file, before);
  FileHashes hashes;
  std::int64_t offset = 0;
  while (offset < reader.size()) {
    stop_.check();
    const std::size_t got = reader.read(offset, buffer_.get());
    if (got < reader.lengthAt(offset)) return std::nullopt;
    hashes.chunks.push_back(reader.hash({buffer_.get(), got}));
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
