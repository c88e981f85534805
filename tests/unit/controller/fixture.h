// A swarm in one thread: world and store outlive the controller, whose process can be "killed" at any turn of its loop.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "controller/controller.h"
#include "provider/fake/fake_provider.h"
#include "unit/controller/memory_store.h"

namespace swarm::test {

/// The real time, and what a test adds to it.
class AdvancedClock final : public Clock {
 public:
  SystemTime now() const override { return RealClock().now() + added_; }
  SteadyTime steadyNow() const override { return RealClock().steadyNow() + added_; }
  void advance(std::chrono::milliseconds by) { added_ += by; }

 private:
  std::chrono::milliseconds added_{0};
};

/// One run of the server: its loop, and the controller on it. Its destruction is kill -9: suspended coroutines do not continue.
struct Life {
  boost::asio::io_context loop{1};
  std::unique_ptr<SwarmController> controller;
};

class ControllerTest : public ::testing::Test {
 protected:
  ControllerTest();
  ~ControllerTest() override;

  void boot();  ///< starts a run: constructs and opens the controller
  void kill();  ///< kill -9
  void reboot() {
    kill();
    boot();
  }
  SwarmController& swarm() { return *life_->controller; }
  boost::asio::io_context& loop() { return life_->loop; }

  /// Runs the loop until `work` has ended; a test that hangs fails after a minute.
  template <typename T>
  T run(awaitable<T> work) {
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    std::exception_ptr failure;
    bool done = false;
    if constexpr (std::is_void_v<T>) {
      boost::asio::co_spawn(life_->loop, std::move(work), [&](std::exception_ptr thrown) {
        failure = thrown;
        done = true;
      });
    } else {
      boost::asio::co_spawn(life_->loop, std::move(work), [&](std::exception_ptr thrown, T value) {
        failure = thrown;
        result = std::move(value);
        done = true;
      });
    }
    drive([&] { return done; });
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  /// Runs the loop until `done` holds.
  void drive(std::function<bool()> done);
  /// Runs at most `turns` handlers; false when the loop was idle for a while.
  bool turn(int turns);

  CreateRequest request(const std::string& name, const std::string& owner = "ann") const;
  Instance create(const std::string& name);               ///< and waits until it runs
  Operation finish(const InstanceAndOperation& started);  ///< waits for its end
  Instance get(const std::string& ref);
  std::shared_ptr<const InstanceRoute> route(const std::string& name);
  void waitForStatus(const std::string& ref, InstanceStatus status);
  fake::FakeProvider& provider() { return *provider_; }

  AdvancedClock clock_;
  fake::FakeWorld world_{clock_};
  MemoryStore store_;
  ControllerOptions options_;
  fake::FakeOptions fake_options_;
  std::vector<fake::FakeOptions> other_providers_;  ///< of another swarm id in the same world
  std::unique_ptr<Life> life_;
  fake::FakeProvider* provider_ = nullptr;
};

}  // namespace swarm::test
