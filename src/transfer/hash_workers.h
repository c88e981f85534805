// HashWorkers: several threads that read files for their hashes, with the results in the order in which they were asked for.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "transfer/content.h"

namespace swarm::transfer {

/// For one asking thread, which also takes the results. Bounded: add() waits for the oldest result when many are outstanding.
class HashWorkers {
 public:
  /// A file's hash is empty when it changed meanwhile.
  using Taker = std::function<void(std::optional<FileHashes>)>;

  HashWorkers(HashCache& cache, const Trust& trust, const StopFlag& stop, std::atomic<std::int64_t>& bytes_done);
  ~HashWorkers();
  HashWorkers(const HashWorkers&) = delete;
  HashWorkers& operator=(const HashWorkers&) = delete;

  /// `take` is called on the asking thread, in order, by a later call. Throws what reading an earlier file threw.
  void add(Descriptor file, const struct stat& status, Taker take, std::function<void(int)> fail);
  /// Something without a file that has its place in the order.
  void add(Taker take);
  void finish();  ///< takes all that is left

 private:
  struct Job {
    Descriptor file;
    struct stat status{};
    Taker take;
    std::function<void(int)> fail;  ///< with an errno; throws
    std::optional<FileHashes> hashes;
    std::exception_ptr error;
    bool done = false;
  };
  void addThread();
  void work();
  void workHere();
  void hash(Job& job, ContentHasher& hasher);  ///< whoever took the job from `waiting_` has it alone until it is done
  void takeResults(std::size_t until);         ///< until at most so many are outstanding

  HashCache& cache_;
  const Trust& trust_;
  const StopFlag& stop_;
  std::atomic<std::int64_t>& bytes_done_;
  std::mutex mutex_;
  std::condition_variable work_added_;
  std::condition_variable work_done_;
  std::deque<std::shared_ptr<Job>> outstanding_;  ///< in order; the asking thread's
  std::deque<std::shared_ptr<Job>> waiting_;      ///< for a worker
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace swarm::transfer
