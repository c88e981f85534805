// The fake provider's own promises to the tests that build on it.
#include "provider/fake/fake_provider.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/client/client.h"

namespace swarm::fake {
namespace {

class Fake : public ::testing::Test {
 protected:
  template <typename T>
  T run(awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr thrown, T value) {
      failure = thrown;
      result = std::move(value);
    });
    turnUntil([&] { return failure || result; });
    if (failure) std::rethrow_exception(failure);
    return std::move(result.value());
  }
  void run(awaitable<void> work) {
    bool done = false;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr thrown) {
      failure = thrown;
      done = true;
    });
    turnUntil([&] { return done; });
    if (failure) std::rethrow_exception(failure);
  }
  void turnUntil(std::function<bool()> done) {
    Deadline end = Deadline::after(std::chrono::seconds(30));
    while (!done() && !end.hasPassed()) {
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(100));
    }
    ASSERT_TRUE(done());
  }
  InstanceSpec spec(const std::string& id = "i-1") const {
    InstanceSpec spec;
    spec.placeId = PlaceId(id);
    spec.name = id;
    spec.owner = "ann";
    spec.config.image = "image";
    StorageConfig home;
    home.mountPath = "/home/coder";
    spec.config.storage.push_back(home);
    return spec;
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(5)); }

  RealClock clock_;
  boost::asio::io_context loop_{1};
  FakeWorld world_{clock_};
  FakeProvider provider_{world_, clock_};
  NoProgress progress_;
};

TEST_F(Fake, aPlannedFailureComesBeforeTheEffectAndAnAnswerPointAfterIt) {
  world_.faults.fail("createInstance/create container", Error(ErrorCode::Unavailable, "before"));
  EXPECT_THROW(run(provider_.createInstance(spec(), progress_, soon())), Error);
  EXPECT_FALSE(world_.container(PlaceId("i-1")));
  world_.faults.fail("createInstance/create container/answer", Error(ErrorCode::Unavailable, "after"));
  EXPECT_THROW(run(provider_.createInstance(spec(), progress_, soon())), Error);
  ASSERT_TRUE(world_.container(PlaceId("i-1")));
  EXPECT_EQ(world_.container(PlaceId("i-1"))->status, InstanceStatus::creating);
  std::string id = world_.container(PlaceId("i-1"))->id;
  EXPECT_EQ(run(provider_.createInstance(spec(), progress_, soon())).status, InstanceStatus::running);
  EXPECT_EQ(world_.container(PlaceId("i-1"))->id, id) << "the half-made container was found and used";
  EXPECT_EQ(world_.faults.passes("createInstance"), 3);
}

TEST_F(Fake, failuresComeAtTheChosenPassesOnly) {
  world_.faults.fail("getInstance", Error(ErrorCode::Unavailable, "planned"), 1, 1);
  EXPECT_NO_THROW(run(provider_.getInstance(PlaceId("i-1"), soon())));
  EXPECT_THROW(run(provider_.getInstance(PlaceId("i-1"), soon())), Error);
  EXPECT_NO_THROW(run(provider_.getInstance(PlaceId("i-1"), soon())));
}

TEST_F(Fake, aGateHoldsACallUntilItIsOpened) {
  auto gate = world_.faults.block("createInstance/start container");
  bool ended = false;
  boost::asio::co_spawn(loop_, provider_.createInstance(spec(), progress_, soon()),
                        [&](std::exception_ptr, ProviderInstance) { ended = true; });
  run(gate->reached());
  EXPECT_FALSE(ended);
  gate->open();
  turnUntil([&] { return ended; });
}

TEST_F(Fake, theWorldOutlivesTheProvider) {
  {
    FakeProvider first(world_, clock_);
    run(first.createInstance(spec(), progress_, soon()));
  }
  world_.writeFile(world_.volumes().at(0).name, "notes", "text");
  FakeProvider second(world_, clock_);
  EXPECT_EQ(run(second.listInstances({}, soon())).instances.size(), 1u);
  EXPECT_EQ(run(second.executeCommand(PlaceId("i-1"), {"cat", "/home/coder/notes"}, "", soon())).stdoutText, "text");
}

TEST_F(Fake, twoSwarmsInOneWorldDoNotSeeEachOther) {
  FakeOptions other_options;
  other_options.swarmId = "other";
  FakeProvider other(world_, clock_, other_options);
  run(provider_.createInstance(spec(), progress_, soon()));
  EXPECT_TRUE(run(other.listInstances({}, soon())).instances.empty());
  EXPECT_FALSE(run(other.getInstance(PlaceId("i-1"), soon())));
}

TEST_F(Fake, itsSimulatedAgentAnswersTheRealClient) {
  FakeOptions slow;
  slow.times.ready = std::chrono::hours(1);
  FakeProvider late(world_, clock_, slow);
  run(provider_.createInstance(spec(), progress_, soon()));
  run(late.createInstance(spec("i-2"), progress_, soon()));
  agent::AgentTarget target{InstanceId("i-1"), SigningKey{TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
                            run(provider_.agentEndpoint(PlaceId("i-1"), soon()))};
  agent::AgentHealth health = run(agent::getHealth(target, soon()));
  EXPECT_TRUE(health.ready);
  EXPECT_EQ(health.generation, world_.container(PlaceId("i-1"))->generation);
  target.instanceId = InstanceId("i-2");
  target.endpoint = run(late.agentEndpoint(PlaceId("i-2"), soon()));
  EXPECT_FALSE(run(agent::getHealth(target, soon())).ready);
  net::StreamPtr tunnel = run(agent::openVscodeTunnel({InstanceId("i-1"), SigningKey{TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))},
                                                       run(provider_.agentEndpoint(PlaceId("i-1"), soon()))},
                                                      soon()));
  EXPECT_TRUE(tunnel);
}

}  // namespace
}  // namespace swarm::fake
