// BlockingWork: blocking work on a thread of its own, which a coroutine awaits.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include "async/loop.h"
#include "async/notifier.h"

namespace swarm::async {

/// On one loop. The destructor waits for the end of `work`, which may therefore use the caller's objects.
class BlockingWork {
 public:
  /// `thread_name`: at most 15 characters, as `top -H` shows it. Throws a retryable Error(OutOfResources) when no thread can be started.
  BlockingWork(Executor executor, const char* thread_name, std::function<void()> work);
  ~BlockingWork();
  BlockingWork(const BlockingWork&) = delete;
  BlockingWork& operator=(const BlockingWork&) = delete;

  /// Waits until it has ended, even if the caller is cancelled: it uses the caller's objects. Rethrows its exception.
  awaitable<void> wait();

 private:
  struct State {
    bool done = false;
    std::exception_ptr failure;
    Notifier ended;
  };
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace swarm::async
