// EgressGuard: sets the rules of an instance's network by a short-lived container of ours in its network namespace, which alone has
// NET_ADMIN there (docs/adr/0018-egress.md).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "async/lock/keyed_lock.h"
#include "provider/docker/container/container_index.h"
#include "provider/docker/egress/egress_rules.h"
#include "provider/docker/resources/images.h"
#include "provider/provider.h"

namespace swarm::docker {

/// Owned by one loop.
class EgressGuard {
 public:
  EgressGuard(DockerContext& context, ContainerIndex& index, Images& images) : context_(context), index_(index), images_(images) {}

  EgressPolicy policyFor(const NetworkConfig& network) const { return strictestOf(egressLimits(network, context_.config)); }
  awaitable<EgressRules> setRules(PlaceId place_id, NetworkConfig network, Deadline deadline);
  awaitable<std::int64_t> countDenied(PlaceId place_id, Deadline deadline);
  /// Sets rules in a namespace of its own, to find out whether the Engine can. Throws what prevents it.
  awaitable<std::string> rehearse(Deadline deadline);
  /// Removes helpers that no call of this process waits for: those of a server that was killed.
  awaitable<void> removeLeftovers(Deadline deadline);
  void forgetAll();
  bool works() const { return works_; }  ///< by the last rules that were set; true before

 private:
  struct Standing {
    SystemTime startedAt{};  ///< of the run whose namespace has them
    std::string id;
  };
  struct Counted {
    SteadyTime until{};
    std::int64_t denied = 0;
  };
  struct Machine {
    std::vector<EgressTarget> addresses;
    std::vector<EgressTarget> resolvers;
  };
  /// A helper: what it runs, and in which network.
  struct Helper {
    std::string name;
    std::string networkMode;
    std::vector<std::string> command;  ///< for /bin/sh
    enum class Capability { None, NetAdmin } capability = Capability::None;
  };

  awaitable<ContainerDetails> requireRunning(PlaceId place_id, Deadline deadline);
  awaitable<Machine> machine(Deadline deadline);
  awaitable<EgressSurroundings> surroundingsOf(ContainerDetails container, Deadline deadline);
  awaitable<std::string> run(Helper helper, Deadline deadline);  ///< what it printed; it is removed in every case
  awaitable<std::string> runOnce(const Helper& helper, Deadline deadline);
  awaitable<std::string> create(const Helper& helper, Deadline deadline);

  DockerContext& context_;
  ContainerIndex& index_;
  Images& images_;
  async::KeyedLock locks_;
  std::set<std::string> running_;             ///< names of helpers
  std::map<std::string, Standing> standing_;  ///< by container
  std::map<std::string, Counted> counted_;    ///< by container
  std::optional<Machine> machine_;
  bool works_ = true;
};

}  // namespace swarm::docker
