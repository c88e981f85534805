// A table bounded by bytes; old records are evicted only when room is needed.
#include "transfer/hash/hash_cache.h"

#include <time.h>
#include <unistd.h>

#include <set>

namespace swarm::transfer {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

/// File times have the granularity of the kernel's tick, at most 10 ms; the rest allows for small clock adjustments.
constexpr std::int64_t kMargin = 50'000'000;

}  // namespace

HashCache::HashCache(std::size_t limit_bytes) : limit_(limit_bytes) {}

std::size_t HashCache::costOf(const FileHashes& hashes) {
  // A node of the table, its bucket entry, and the allocator's overhead.
  return sizeof(std::pair<const Key, Record>) + 40 + hashes.chunks.runs().size() * sizeof(HashRun) + 16;
}

void HashCache::beginPass() {
  const std::lock_guard lock(mutex_);
  ++pass_;
  dropped_ = false;
}

std::optional<FileHashes> HashCache::find(const struct stat& status) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find({status.st_dev, status.st_ino});
  if (found == records_.end()) return std::nullopt;
  Record& record = found->second;
  if (record.size != status.st_size || record.mtime != nanoseconds(status.st_mtim) || record.ctime != nanoseconds(status.st_ctim)) {
    bytes_ -= costOf(record.hashes);
    records_.erase(found);
    return std::nullopt;
  }
  record.pass = pass_;
  return record.hashes;
}

void HashCache::store(const struct stat& status, const FileHashes& hashes) {
  const std::lock_guard lock(mutex_);
  const Key key{status.st_dev, status.st_ino};
  if (const auto found = records_.find(key); found != records_.end()) {
    bytes_ -= costOf(found->second.hashes);
    records_.erase(found);
  }
  const std::size_t cost = costOf(hashes);
  if (bytes_ + cost > limit_) dropOld();
  if (bytes_ + cost > limit_) return;
  Record record;
  record.size = status.st_size;
  record.mtime = nanoseconds(status.st_mtim);
  record.ctime = nanoseconds(status.st_ctim);
  record.pass = pass_;
  record.hashes = FileHashes{hashes.content, HashRuns(std::vector<HashRun>(hashes.chunks.runs()))};  // without spare capacity
  records_.emplace(key, std::move(record));
  bytes_ += cost;
}

void HashCache::dropOld() {
  if (dropped_) return;
  dropped_ = true;
  std::erase_if(records_, [this](const auto& entry) {
    const bool old = entry.second.pass + 1 < pass_;
    if (old) bytes_ -= costOf(entry.second.hashes);
    return old;
  });
}

std::size_t HashCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Trust::Trust(const std::vector<Storage>& storages, Sync sync) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  before_ = nanoseconds(now) - kMargin;
  if (sync == Sync::WritersStopped) return;
  std::set<dev_t> done;
  for (const Storage& storage : storages) {
    // If the file system cannot be synced there is no guarantee: then nothing that this pass reads is cached.
    if (done.insert(storage.device).second && ::syncfs(storage.top.get()) != 0) before_ = INT64_MIN;
  }
}

bool Trust::covers(const struct stat& status) const { return nanoseconds(status.st_ctim) < before_; }

}  // namespace swarm::transfer
