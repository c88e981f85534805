// Operations, and the counts at the emulator that prove them.
#include "conformance/provider/fly/faults/fly_faults.h"

namespace swarm::testing {
namespace {

emulator::EmulatorOptions withoutLimits() {
  emulator::EmulatorOptions options;
  options.rateLimits = emulator::RateLimits::Off;
  return options;
}

}  // namespace

std::string_view toString(FlyOperation operation) {
  switch (operation) {
    case FlyOperation::Create:
      return "create";
    case FlyOperation::Start:
      return "start";
    case FlyOperation::Stop:
      return "stop";
    case FlyOperation::Replace:
      return "replace";
    case FlyOperation::Delete:
      return "delete";
  }
  return "";
}

FlyLife::FlyLife(CoroutineRunner& runner) : runner_(runner), world_(runner, makeTestMemoryBackend, withoutLimits()) {
  spec_ = {PlaceId(newId("i")), "one", "ada", {}, R"({"instanceId":"x","publicKey":"00"})", {}};
  spec_.config.name = "one";
  spec_.config.image = "workspace";
  spec_.config.resources.memory = {0, 256};
  spec_.config.resources.storage = {1, true};
  spec_.config.storage = {{1, true, "/home/coder", ""}};
  restartServer();
}

void FlyLife::restartServer() {
  flyio::Tuning tuning = FlyWorld::quickTuning();
  tuning.lookFor = std::chrono::milliseconds(4);
  tuning.boundPatience = std::chrono::milliseconds(4);
  tuning.firstPause = std::chrono::milliseconds(1);
  tuning.longestPause = std::chrono::milliseconds(2);
  provider_ = std::make_unique<flyio::FlyIOProvider>(world_.providerConfig(), swarm_id_, world_.clock(), tuning);
}

void FlyLife::prepare(FlyOperation operation) {
  if (operation == FlyOperation::Create) return;
  runner_.run(perform(FlyOperation::Create, recorded_));
  if (operation == FlyOperation::Start) runner_.run(perform(FlyOperation::Stop, recorded_));
  restartServer();  // as after a long time: nothing is cached
}

asio::awaitable<void> FlyLife::perform(FlyOperation operation, Progress& progress, std::chrono::milliseconds limit) {
  Deadline deadline = Deadline::after(limit);
  switch (operation) {
    case FlyOperation::Create:
      co_await provider_->createInstance(spec_, progress, deadline);
      break;
    case FlyOperation::Start:
      co_await provider_->startInstance(spec_.placeId, progress, deadline);
      break;
    case FlyOperation::Stop:
      co_await provider_->stopInstance(spec_.placeId, std::chrono::seconds(1), progress, deadline);
      break;
    case FlyOperation::Replace: {
      InstanceSpec changed = spec_;
      changed.config.env["ADDED"] = "yes";
      co_await provider_->replaceInstance(changed, progress, deadline);
      break;
    }
    case FlyOperation::Delete:
      co_await provider_->deleteInstance(spec_.placeId, DeleteVolumes::Yes, recorded_.resources, progress, deadline);
      break;
  }
}

int FlyLife::requestsOf(CoroutineRunner& runner, FlyOperation operation) {
  FlyLife life(runner);
  life.prepare(operation);
  auto before = life.provider().client().requests();
  runner.run(life.perform(operation, life.recorded_));
  life.expectOutcome(operation);
  return static_cast<int>(life.provider().client().requests() - before);
}

void FlyLife::expectOutcome(FlyOperation operation) {
  boost::json::value state = world_.state();
  auto count = [&](std::string_view what) { return state.at(what).to_number<std::int64_t>(); };
  if (operation == FlyOperation::Delete) {
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    return;
  }
  EXPECT_EQ(count("apps"), 1);
  EXPECT_EQ(count("machines"), 1);
  EXPECT_EQ(count("volumes"), 1);
  EXPECT_EQ(count("ips"), 2);
  const boost::json::object& states = state.at("states").as_object();
  const char* wanted = operation == FlyOperation::Stop ? "stopped" : "started";
  EXPECT_TRUE(states.contains(wanted)) << "it should be " << wanted;
}

void FlyLife::expectNothingAfterDelete() {
  restartServer();
  runner_.run(perform(FlyOperation::Delete, recorded_));
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

}  // namespace swarm::testing
