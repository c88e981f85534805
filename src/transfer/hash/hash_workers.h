// HashWorkers: several threads that read and hash files; results are returned in the order of the requests.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
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
  using Task = std::packaged_task<std::optional<FileHashes>(ContentHasher&)>;
  struct Result {
    std::future<std::optional<FileHashes>> hashes;  ///< of an item without a file: invalid
    Taker take;
    std::function<void(int)> fail;  ///< with an errno; throws
  };
  void addThread();
  void work();
  void workHere();
  void takeResults(std::size_t until);  ///< until at most this many are outstanding

  HashCache& cache_;
  const Trust& trust_;
  const StopFlag& stop_;
  std::atomic<std::int64_t>& bytes_done_;
  std::mutex mutex_;
  std::condition_variable work_added_;
  std::deque<Task> waiting_;
  bool ending_ = false;
  std::deque<Result> outstanding_;  ///< in order; owned by the requesting thread
  std::vector<std::thread> threads_;
};

}  // namespace swarm::transfer
