// Group commit over savepoints.
#include "sqlite/writer.h"

#include <pthread.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace swarm::sqlite {

namespace asio = boost::asio;

Writer::Writer(Database& database) : database_(database), thread_([this] { loop(); }) {}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

asio::awaitable<void> Writer::run(JobKind kind, Work work) {
  auto submit = [this, kind, &work](auto handler) {
    // The caller's context must not run out of work while the job is queued or running. It may end as soon as the caller has resumed, so
    // the posted handler takes the work guard along: this thread does not touch the context afterwards.
    asio::any_io_executor guard = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
    auto complete = [guard = std::move(guard), handler = std::move(handler)](std::exception_ptr error) mutable {
      const asio::any_io_executor executor = asio::prefer(guard, asio::execution::outstanding_work.untracked);
      asio::post(executor, [guard = std::move(guard), handler = std::move(handler), error = std::move(error)]() mutable {
        std::move(handler)(error);
      });
    };
    std::lock_guard lock(mutex_);
    queue_.push_back({kind, std::move(work), std::move(complete), nullptr});
    wake_.notify_one();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(submit, asio::use_awaitable);
}

void Writer::loop() {
  pthread_setname_np(pthread_self(), "swarm-store");
  for (;;) {
    std::deque<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      jobs.swap(queue_);
    }
    runGroup(jobs);
  }
}

void Writer::runGroup(std::deque<Job>& jobs) {
  std::deque<Job> writes;
  for (Job& job : jobs) {
    if (job.kind == JobKind::Write) {
      writes.push_back(std::move(job));
      continue;
    }
    // Reads come before the group's transaction: they see only what is durable.
    try {
      job.work(database_);
    } catch (...) {
      job.error = std::current_exception();
    }
    job.complete(job.error);
  }
  if (writes.empty()) return;
  runWrites(writes);
  for (Job& job : writes) job.complete(job.error);
}

void Writer::runWrites(std::deque<Job>& writes) {
  if (writes.size() == 1) return runAlone(writes.front());
  try {
    database_.transaction([&] {
      for (Job& job : writes) runInSavepoint(job);
    });
  } catch (...) {
    // The group as a whole could not be committed; the disk may have room for some of its jobs.
    for (Job& job : writes) runAlone(job);
  }
}

void Writer::runInSavepoint(Job& job) {
  job.error = nullptr;
  database_.execute("SAVEPOINT job");
  try {
    job.work(database_);
  } catch (...) {
    if (!database_.inTransaction()) throw;  // SQLite rolled back the whole group
    job.error = std::current_exception();
    database_.execute("ROLLBACK TO job");
  }
  database_.execute("RELEASE job");
}

void Writer::runAlone(Job& job) {
  job.error = nullptr;
  try {
    database_.transaction([&] { job.work(database_); });
  } catch (...) {
    job.error = std::current_exception();
  }
}

}  // namespace swarm::sqlite
