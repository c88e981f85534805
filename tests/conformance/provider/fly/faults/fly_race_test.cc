// Deletions that come while a create is cut off: a request that was sent has its effect, whatever becomes of the one who waits for it.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "conformance/provider/fly/faults/fly_faults.h"
#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

class FlyRace : public FlyPlaces {
 protected:
  /// What was on its way to the emulator has been done when this returns.
  void settle() {
    world_.clearFaults();
    world_.fault(R"({"match":{"action":"app_list"},"effect":{"latency_ms":120}})");
    world_.send("GET", "/v1/apps?org_slug=personal");
  }
  /// Begins a create, and cancels it as soon as its n-th request (from 0) has arrived; the end of it.
  void createAndCancel(const InstanceSpec& wanted, int request) {
    asio::cancellation_signal stop;
    bool ended = false;
    auto limit = world_.arrived() + request + 1;
    auto work = [this, wanted]() -> asio::awaitable<void> { co_await provider_->createInstance(wanted, progress_, soon()); };
    asio::co_spawn(runner_.context(), work, asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    ASSERT_TRUE(runner_.waitFor([&] { return ended || world_.arrived() >= limit; }));
    if (!ended) stop.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(runner_.waitFor([&] { return ended; }));
  }
  /// One workspace: created, cut off after `lifetime`, deleted.
  asio::awaitable<void> live(InstanceSpec wanted, std::chrono::milliseconds lifetime, DeleteVolumes volumes) {
    auto executor = co_await asio::this_coro::executor;
    RecordingProgress progress;
    asio::cancellation_signal stop;
    asio::steady_timer ended(executor, SteadyTime::max()), timer(executor, lifetime);
    auto work = [&]() -> asio::awaitable<void> { co_await provider_->createInstance(wanted, progress, soon()); };
    bool has_ended = false;
    asio::co_spawn(executor, work, asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) {
                     has_ended = true;
                     ended.cancel();
                   }));
    co_await timer.async_wait(asio::use_awaitable);
    if (!has_ended) stop.emit(asio::cancellation_type::terminal);
    boost::system::error_code ignored;
    if (!has_ended) co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_await provider_->deleteInstance(wanted.placeId, volumes, progress.resources, progress, soon());
  }
};

TEST_F(FlyRace, aCreateThatIsCancelledAtAnyRequestLeavesNothingBehindItsDelete) {
  int requests = FlyLife::requestsOf(runner_, FlyOperation::Create);
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(at);
    restartServer();
    world_.fault(format(R"({{"skip":{},"effect":{{"latency_ms":40}}}})", at));
    InstanceSpec wanted = spec();
    createAndCancel(wanted, at);
    remove(wanted.placeId);
    settle();
    ASSERT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

TEST_F(FlyRace, fourteenAtATimeLeaveOnlyTheVolumesThatAreKept) {
  std::mt19937 random(7);
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    world_.fault(R"({"count":-1,"effect":{"latency_ms":3}})");
    std::vector<asio::awaitable<void>> lives;
    for (int i = 0; i < 14; ++i)
      lives.push_back(live(spec(), std::chrono::milliseconds(random() % 120), i % 2 == 0 ? DeleteVolumes::Yes : DeleteVolumes::No));
    runner_.runAll(std::move(lives));
    settle();
    EXPECT_EQ(world_.count("machines"), 0);
    EXPECT_EQ(world_.count("ips"), 0);
    restartServer();
    std::vector<VolumeInfo> kept = runner_.run(provider_->listVolumes(soon()));
    EXPECT_EQ(world_.count("volumes"), static_cast<std::int64_t>(kept.size()));
    EXPECT_EQ(world_.count("apps"), static_cast<std::int64_t>(kept.size()));
    for (const VolumeInfo& volume : kept) {
      EXPECT_FALSE(volume.isStray) << volume.name;
      EXPECT_FALSE(volume.inUse);
      runner_.run(provider_->deleteVolume(volume.name, soon()));
    }
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace swarm::testing
