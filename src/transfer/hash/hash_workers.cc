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
  auto job = std::make_shared<Job>();
  job->file = std::move(file);
  job->status = status;
  job->take = std::move(take);
  job->fail = std::move(fail);
  outstanding_.push_back(job);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
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
  for (; !waiting_.empty(); waiting_.pop_front()) {
    Job& job = *waiting_.front();
    hash(job, hasher);
    job.done = true;
  }
}

void HashWorkers::hash(Job& job, ContentHasher& hasher) {
  try {
    job.hashes = hasher.hash(job.file.get(), job.status, bytes_done_);
  } catch (...) {
    job.error = std::current_exception();
  }
  job.file.reset();
}

void HashWorkers::add(Taker take) {
  if (outstanding_.empty()) return take(std::nullopt);
  auto job = std::make_shared<Job>();
  job->take = std::move(take);
  job->done = true;
  outstanding_.push_back(std::move(job));
  takeResults(4 * kOutstanding);
}

void HashWorkers::finish() { takeResults(0); }

void HashWorkers::takeResults(std::size_t until) {
  while (!outstanding_.empty()) {
    const std::shared_ptr<Job> job = outstanding_.front();
    {
      std::unique_lock lock(mutex_);
      if (!job->done && outstanding_.size() <= until) return;
      work_done_.wait(lock, [&] { return job->done; });
    }
    outstanding_.pop_front();
    if (job->error) {
      try {
        std::rethrow_exception(job->error);
      } catch (const std::system_error& error) {
        job->fail(error.code().value());
      }
    }
    job->take(std::move(job->hashes));
  }
}

void HashWorkers::work() {
  ContentHasher hasher(cache_, trust_, stop_);
  std::unique_lock lock(mutex_);
  for (;;) {
    work_added_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const std::shared_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    hash(*job, hasher);
    lock.lock();
    job->done = true;
    work_done_.notify_one();
  }
}

}  // namespace swarm::transfer
