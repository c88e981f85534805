// The thread that owns the connection: a queue of jobs, and one fsync for all writes that are queued together (group commit).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "sqlite/database.h"

namespace swarm::sqlite {

enum class JobKind { Read, Write };

/// Thread-safe. Jobs run on the writer's thread. A write's effects are durable when run() completes; when one write of a group fails, the
/// others do not. A write may run twice (when a full disk rolled back its group): it must depend on its arguments only.
class Writer {
 public:
  using Work = std::function<void(Database&)>;

  explicit Writer(Database& database);
  /// Finishes the queued jobs, then ends the thread.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Runs `work` and resumes the caller on its own executor, with the exception if `work` threw. References in `work` may point into the
  /// caller's coroutine frame: the queue keeps it alive.
  boost::asio::awaitable<void> run(JobKind kind, Work work);

 private:
  struct Job {
    JobKind kind;
    Work work;
    std::move_only_function<void(std::exception_ptr)> complete;
    std::exception_ptr error;
  };

  void loop();
  void runGroup(std::deque<Job>& jobs);
  void runWrites(std::deque<Job>& writes);
  void runInSavepoint(Job& job);
  void runAlone(Job& job);

  Database& database_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace swarm::sqlite
