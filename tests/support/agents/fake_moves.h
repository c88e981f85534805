// The agents' part in a move, in the fake world: files travel between volumes, one turn of the loop at a time, and failures happen on
// request.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "controller/moves/move_agents.h"
#include "provider/fake/world.h"

namespace swarm::test {

class FakeMoves final : public MoveAgents {
 public:
  explicit FakeMoves(fake::FakeWorld& world) : world_(world) {}

  // Failures. Each takes effect at the n-th call from now, counted over all links, and only once.
  std::map<std::string, int> cutAt;                     ///< "round", "digest", "scan", "sync", "hold", "connect" → Unavailable at the n-th
  std::optional<Error> failRound;                       ///< every round ends with this error
  int corruptions = 0;                                  ///< the number of target digests to falsify
  std::function<void(transfer::RoundKind)> onRound;     ///< before a round copies anything
  std::function<void()> onRelease;                      ///< before a release reaches its agent
  std::optional<transfer::TransferProgress> report{};   ///< reported by every round before it copies anything
  std::function<transfer::TransferProgress()> endless;  ///< a round never ends, and this is what it reports
  std::int64_t freeAtTarget = std::int64_t{1} << 40;
  std::set<PlaceId> frozen;  ///< places whose processes are frozen
  int rounds = 0;
  std::int64_t filesSent = 0;

  awaitable<std::string> hold(agent::AgentTarget target, std::string transfer, std::string reason, Deadline deadline) override;
  awaitable<void> release(agent::AgentTarget target, std::string boot, Deadline deadline) override;
  awaitable<void> freeze(agent::AgentTarget target, std::string transfer, Deadline deadline) override;
  awaitable<void> thaw(agent::AgentTarget target, Deadline deadline) override;
  awaitable<std::unique_ptr<transfer::Link>> connect(std::optional<agent::AgentTarget> source, std::optional<agent::AgentTarget> target,
                                                     std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                     Deadline deadline) override;

  /// Throws Unavailable when a failure is due, or the place is not running; takes a turn of the loop either way.
  awaitable<void> pass(std::string what, std::vector<PlaceId> places);
  fake::FakeWorld& world() { return world_; }

 private:
  fake::FakeWorld& world_;
};

/// The contents of a place's persistent storages: mount path + file → contents.
std::map<std::string, std::string> filesAt(fake::FakeWorld& world, const PlaceId& place);

}  // namespace swarm::test
