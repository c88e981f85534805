// TestLoop's non-template half.
#include "support/coroutine_test.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <stdexcept>

namespace swarm::test {

// Suspended frames are destroyed with the context; none of them may run afterwards.
TestLoop::~TestLoop() { context_.stop(); }

void TestLoop::spawn(awaitable<void> operation) {
  asio::co_spawn(context_, std::move(operation), [this](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
      if (failure.code() != asio::error::operation_aborted) background_failure_ = error;
    } catch (...) {
      background_failure_ = error;
    }
  });
}

void TestLoop::runVoid(awaitable<void> operation, std::chrono::milliseconds limit) {
  struct Outcome {
    bool done = false;
    std::exception_ptr error;
  };
  // Shared: after a timeout the coroutine may still end while the loop is torn down.
  auto outcome = std::make_shared<Outcome>();
  asio::co_spawn(context_, std::move(operation), [outcome](std::exception_ptr error) {
    outcome->done = true;
    outcome->error = std::move(error);
  });
  runUntil([outcome] { return outcome->done; }, limit);
  if (outcome->error) std::rethrow_exception(outcome->error);
}

void TestLoop::step(std::chrono::steady_clock::time_point end) {
  if (context_.stopped()) context_.restart();
  const std::size_t ran = context_.run_one_until(end);
  if (background_failure_) std::rethrow_exception(std::exchange(background_failure_, nullptr));
  if (ran > 0) return;
  if (std::chrono::steady_clock::now() >= end) throw std::runtime_error("the test's coroutine did not end within its limit");
  throw std::runtime_error("the test's coroutine waits for something that can no longer happen: the loop has no work");
}

}  // namespace swarm::test
