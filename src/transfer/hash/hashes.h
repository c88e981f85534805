// Hashes of a file's chunks. A run of equal hashes, such as that of a hole, is stored once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace swarm::transfer {

struct Hash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash&) const = default;
};

struct HashRun {
  Hash hash;
  std::uint64_t count = 0;
  bool operator==(const HashRun&) const = default;
};

class HashRuns {
 public:
  HashRuns() = default;
  HashRuns(std::initializer_list<Hash> hashes) {
    for (const Hash& hash : hashes) add(hash);
  }
  explicit HashRuns(std::vector<HashRun> runs) : runs_(std::move(runs)) {}

  void add(const Hash& hash, std::uint64_t count = 1) {
    if (count == 0) return;
    if (!runs_.empty() && runs_.back().hash == hash)
      runs_.back().count += count;
    else
      runs_.push_back({hash, count});
  }
  void add(const HashRuns& more) {
    for (const HashRun& run : more.runs_) add(run.hash, run.count);
  }
  bool empty() const { return runs_.empty(); }
  const std::vector<HashRun>& runs() const { return runs_; }
  std::uint64_t chunks() const {
    std::uint64_t sum = 0;
    for (const HashRun& run : runs_) sum += run.count;
    return sum;
  }
  bool operator==(const HashRuns&) const = default;

 private:
  std::vector<HashRun> runs_;
};

/// Consumes runs from the front, some chunks at a time.
class HashCursor {
 public:
  explicit HashCursor(const HashRuns& runs) : runs_(runs.runs()) {}
  /// The hash of the next chunk; null at the end.
  const Hash* now() const { return at_ < runs_.size() ? &runs_[at_].hash : nullptr; }
  /// The number of chunks from here on that have that hash, or SIZE_MAX past the end.
  std::uint64_t left() const { return at_ < runs_.size() ? runs_[at_].count - used_ : UINT64_MAX; }
  void skip(std::uint64_t chunks) {
    while (chunks > 0 && at_ < runs_.size()) {
      const std::uint64_t step = chunks < left() ? chunks : left();
      used_ += step;
      chunks -= step;
      if (used_ < runs_[at_].count) return;
      ++at_;
      used_ = 0;
    }
  }

 private:
  const std::vector<HashRun>& runs_;
  std::size_t at_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace swarm::transfer
