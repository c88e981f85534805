// HashWorkers: several threads that read and hash files; results are returned in the order of the requests.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "transfer/tree/content.h"

namespace swarm::transfer {

/// For one requesting thread, which also takes the results. Bounded: add() waits for the oldest result when many are outstanding.
class HashWorkers {
 public:
  /// The hash is empty when the file changed while it was read.
  using Taker = std::function<void(std::optional<FileHashes>)>;

  HashWorkers(HashCache& cache, const Trust& trust, const StopFlag& stop, std::atomic<std::int64_t>& bytes_done);
  ~HashWorkers();
  HashWorkers(const HashWorkers&) = delete;
  HashWorkers& operator=(const HashWorkers&) = delete;

  /// `take` is called on the requesting thread, in order, by a later call. Throws the exception of an earlier read.
  void add(Descriptor file, const struct stat& status, Taker take, std::function<void(int)> fail);
  /// An item without a file, kept in order with the others.
  void add(Taker take);
  void finish();  ///< takes all remaining results

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
  void hash(Job& job, ContentHasher& hasher);  ///< the thread that took the job from `waiting_` owns it until it is done
  void takeResults(std::size_t until);         ///< until at most this many are outstanding

  HashCache& cache_;
  const Trust& trust_;
  const StopFlag& stop_;
  std::atomic<std::int64_t>& bytes_done_;
  std::mutex mutex_;
  std::condition_variable work_added_;
  std::condition_variable work_done_;
  std::deque<std::shared_ptr<Job>> outstanding_;  ///< in order; owned by the requesting thread
  std::deque<std::shared_ptr<Job>> waiting_;      ///< for a worker
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace swarm::transfer
