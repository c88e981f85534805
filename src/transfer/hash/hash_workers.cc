// Two threads are enough to saturate a disk or two cores, and few enough to leave the rest of the machine to the workspace.
#include "transfer/hash/hash_workers.h"

#include <pthread.h>

#include <system_error>

namespace swarm::transfer {
namespace {
constexpr std::size_t kThreads = 2;
constexpr std::size_t kOutstanding = 128;  // also the number of open files
}  // namespace

HashWorkers::HashWorkers(HashCache& cache, const Trust& trust, const StopFlag& stop, std::atomic<std::int64_t>& bytes_done)
    : cache_(cache), trust_(trust), stop_(stop), bytes_done_(bytes_done) {}

HashWorkers::~HashWorkers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  work_added_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HashWorkers::add(Descriptor file, const struct stat& status, Taker take, std::function<void(int)> fail) {
  Task task([this, file = std::move(file), status](ContentHasher& hasher) { return hasher.hash(file.get(), status, bytes_done_); });
  outstanding_.push_back({task.get_future(), std::move(take), std::move(fail)});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(task));
  }
  work_added_.notify_one();
  if (threads_.size() < kThreads) addThread();
  if (threads_.empty()) workHere();
  takeResults(kOutstanding);
}

/// At the process limit there are fewer threads, or none.
void HashWorkers::addThread() {
  try {
    threads_.emplace_back([this] {
      ::pthread_setname_np(::pthread_self(), "transfer-hash");
      work();
    });
  } catch (const std::system_error&) {
  }
}

/// Without worker threads, the calling thread reads.
void HashWorkers::workHere() {
  ContentHasher hasher(cache_, trust_, stop_);
  for (; !waiting_.empty(); waiting_.pop_front()) waiting_.front()(hasher);
}

void HashWorkers::add(Taker take) {
  if (outstanding_.empty()) return take(std::nullopt);
  outstanding_.push_back({{}, std::move(take), {}});
  takeResults(4 * kOutstanding);
}

void HashWorkers::finish() { takeResults(0); }

void HashWorkers::takeResults(std::size_t until) {
  while (!outstanding_.empty()) {
    auto& hashes = outstanding_.front().hashes;
    const bool ready = !hashes.valid() || hashes.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (!ready && outstanding_.size() <= until) return;
    Result result = std::move(outstanding_.front());
    outstanding_.pop_front();
    std::optional<FileHashes> found;
    try {
      if (result.hashes.valid()) found = result.hashes.get();
    } catch (const std::system_error& error) {
      result.fail(error.code().value());
    }
    result.take(std::move(found));
  }
}

void HashWorkers::work() {
  ContentHasher hasher(cache_, trust_, stop_);
  std::unique_lock lock(mutex_);
  for (;;) {
    work_added_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task(hasher);
    task = {};  // closes the file
    lock.lock();
  }
}

}  // namespace swarm::transfer
