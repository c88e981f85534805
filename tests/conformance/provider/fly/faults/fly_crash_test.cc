// A server that ends between any two requests: another one finishes what it had begun, or removes all of it.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "base/text/format.h"
#include "conformance/provider/fly/faults/fly_faults.h"

namespace swarm::testing {
namespace {

class FlyCrash : public ::testing::TestWithParam<FlyOperation> {
 protected:
  /// Ends the operation while its n-th request (from 0) is on its way.
  void cutAt(FlyLife& life, int request) {
    asio::cancellation_signal stop;
    bool ended = false;
    auto limit = life.provider().client().requests() + request + 1;
    asio::co_spawn(runner_.context(), life.perform(GetParam(), life.recorded()),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    ASSERT_TRUE(runner_.waitFor([&] { return ended || life.provider().client().requests() >= limit; }));
    if (!ended) stop.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(runner_.waitFor([&] { return ended; }));
    life.restartServer();
  }
  CoroutineRunner runner_;
};

TEST_P(FlyCrash, isFinishedByTheNextServer) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(format("ended at request {} of {}", at, toString(GetParam())));
    FlyLife life(runner_);
    life.prepare(GetParam());
    cutAt(life, at);
    runner_.run(life.perform(GetParam(), life.recorded()));
    life.expectOutcome(GetParam());
    life.expectNothingAfterDelete();
  }
}

TEST_P(FlyCrash, isRemovedByADelete) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(format("ended at request {} of {}", at, toString(GetParam())));
    FlyLife life(runner_);
    life.prepare(GetParam());
    cutAt(life, at);
    life.expectNothingAfterDelete();
  }
}

TEST_P(FlyCrash, twiceInARowIsFinishedToo) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (int first = 0; first < requests; first += 2) {
    for (int second = 0; second < requests; second += 3) {
      SCOPED_TRACE(format("ended at request {}, then at {} of {}", first, second, toString(GetParam())));
      FlyLife life(runner_);
      life.prepare(GetParam());
      cutAt(life, first);
      cutAt(life, second);
      runner_.run(life.perform(GetParam(), life.recorded()));
      life.expectOutcome(GetParam());
      life.expectNothingAfterDelete();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyCrash, ::testing::ValuesIn(kFlyOperations),
                         [](const ::testing::TestParamInfo<FlyOperation>& info) { return std::string(toString(info.param)); });

}  // namespace
}  // namespace swarm::testing
