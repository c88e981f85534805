// One coroutine per lane; each request of a lane may be refused or cut off, but its delete must succeed.
#include "chaos/races/storm.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <random>

#include "async/deadline.h"
#include "base/text/format.h"

namespace swarm::test {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{150};
constexpr std::string_view kUser = "ann";

class Storm {
 public:
  Storm(SwarmController& controller, StormPlan plan) : controller_(controller), plan_(plan), random_(plan.seed) {}

  asio::awaitable<void> lane(std::size_t number) {
    for (std::size_t round = 0; round < plan_.rounds; ++round) {
      std::string name = format("race-{}-{}-{}", plan_.seed, number, round);
      try {
        co_await oneRound(name);
      } catch (const Error& error) {
        wrong_.push_back(boost::json::string(format("{}: {}", name, error.message())));
      }
    }
  }
  boost::json::object result() {
    boost::json::object all{{"wrong", wrong_}};
    for (const auto& [what, count] : done_) all[what] = count;
    return all;
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  asio::awaitable<void> pause() { co_await async::sleepFor(milliseconds(below(plan_.longestPause))); }
  asio::awaitable<void> await(std::string operation) {
    co_await controller_.waitForOperation(std::move(operation), Deadline::after(kPatience));
  }

  /// A step that may be refused, because the one before goes on or has failed.
  template <typename Step>
  asio::awaitable<void> attempt(const char* what, Step step) {
    try {
      ++done_[what];
      co_await step();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;
      ++done_[format("{} refused", what)];
    }
  }

  asio::awaitable<void> oneRound(std::string name) {
    CreateRequest request;
    request.owner = kUser;
    request.actor = Actor(std::string(kUser));
    request.config.name = name;
    request.config.resources.memory.max = 64;
    std::string operation = (co_await controller_.createInstance(request)).operation.id;
    ++done_["create"];
    int kind = below(plan_.moves ? 12 : plan_.hasAgent ? 6 : 4);
    if (kind >= 2) co_await await(operation);  // else whatever comes next cuts the create off
    if (kind == 1) {
      co_await pause();
      auto cancel = [&]() -> asio::awaitable<void> { co_await controller_.cancelOperation(operation); };
      co_await attempt("cancel", cancel);
      if (below(2) == 0) co_await await(operation);
    }
    if (kind == 3) co_await attempt("update", [&]() -> asio::awaitable<void> { co_await update(name); });
    if (kind == 4 || kind == 5) co_await attempt("restore", [&]() -> asio::awaitable<void> { co_await restore(name); });
    if (kind >= 6) co_await attempt("move", [&]() -> asio::awaitable<void> { co_await move(name); });
    co_await pause();
    co_await remove(name, plan_.keepsVolumes && below(4) == 0 ? DeleteVolumes::No : DeleteVolumes::Yes);
  }

  asio::awaitable<void> update(std::string name) {
    UpdateRequest request;
    request.env = std::map<std::string, std::string>{{"CHANGED", std::to_string(below(1000))}};
    co_await controller_.updateInstance(name, request, std::string(kUser));
  }

  asio::awaitable<void> restore(std::string name) {
    auto taken = co_await controller_.takeSnapshot(name, "before", std::string(kUser));
    if (below(3) == 0) co_return;  // the snapshot itself is cut off
    co_await await(taken.operation.id);
    co_await controller_.restoreSnapshot(name, "before", std::string(kUser));
  }

  /// There and back; each way may be cancelled or cut off.
  asio::awaitable<void> move(std::string name) {
    for (ProviderType to : {ProviderType::flyio, ProviderType::docker}) {
      MigrateRequest request;
      request.targetProvider = to;
      auto moving = co_await controller_.migrateInstance(name, request, std::string(kUser));
      ++done_[to == ProviderType::flyio ? "move to Fly" : "move to Docker"];
      int fate = below(4);
      if (fate == 0) co_return;  // the delete cuts it off
      if (fate == 1) {
        co_await pause();
        co_await controller_.cancelOperation(moving.operation.id);
      }
      co_await await(moving.operation.id);
    }
  }

  asio::awaitable<void> remove(std::string name, DeleteVolumes volumes) {
    InstanceId id = (co_await controller_.getInstance(name)).value().id;
    auto deleting = co_await controller_.deleteInstance(name, volumes, std::string(kUser));
    ++done_[volumes == DeleteVolumes::Yes ? "delete with volumes" : "delete"];
    Operation ended = co_await controller_.waitForOperation(deleting.operation.id, Deadline::after(kPatience));
    if (ended.status != OperationStatus::succeeded)
      throw Error(ErrorCode::Internal, ended.error ? ended.error->message() : "the delete did not end");
    if (volumes == DeleteVolumes::Yes) co_return;
    std::vector<Snapshot> snapshots = co_await controller_.listSnapshots();
    for (const Snapshot& snapshot : snapshots)
      if (snapshot.instanceId == id) co_await controller_.deleteSnapshot(snapshot.id);
    std::vector<VolumeResponse> kept = co_await controller_.listVolumes();
    for (const VolumeResponse& volume : kept) {
      if (volume.instanceId != id) continue;
      auto drop = [&]() -> asio::awaitable<void> { co_await controller_.deleteVolume(volume.name); };
      co_await attempt("delete volume", drop);  // refused for one that belongs to a discarded place: its sweep has it
    }
  }

  SwarmController& controller_;
  StormPlan plan_;
  std::mt19937 random_;
  boost::json::array wrong_;
  std::map<std::string, int> done_;
};

}  // namespace

asio::awaitable<boost::json::object> runStorm(SwarmController& controller, StormPlan plan) {
  Storm storm(controller, plan);
  auto executor = co_await asio::this_coro::executor;
  using Lane = decltype(asio::co_spawn(executor, storm.lane(0), asio::deferred));
  std::vector<Lane> lanes;
  for (std::size_t number = 0; number < plan.lanes; ++number) lanes.push_back(asio::co_spawn(executor, storm.lane(number), asio::deferred));
  co_await asio::experimental::make_parallel_group(std::move(lanes)).async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  co_return storm.result();
}

}  // namespace swarm::test
