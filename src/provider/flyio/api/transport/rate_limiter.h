// Our side of Fly's rate limits: a token bucket per action and id, so that we cause no 429 (docs/reference/fly-machines.md §1). Pure: the
// caller supplies the time and waits.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace swarm::flyio {

/// What has a limit of its own. Fly counts "per action, per Machine or App"; for an action with neither, the organization or the name in
/// the request is used.
enum class Action {
  ListApps,
  CreateApp,
  GetApp,
  DeleteApp,
  ListIps,
  AssignIp,
  ReleaseIp,
  GetSecret,
  SetSecrets,
  DeleteSecret,
  ListVolumes,
  GetVolume,
  CreateVolume,
  ExtendVolume,
  DeleteVolume,
  ListSnapshots,
  ListMachines,
  GetMachine,
  CreateMachine,
  UpdateMachine,
  DeleteMachine,
  StartMachine,
  StopMachine,
  WaitMachine,
  ExecMachine,
  PatchMetadata,
  GetLease,
  AcquireLease,
  ReleaseLease,
  ListOrgMachines,
  ListOrgVolumes,
  Regions,
  Placements,
  Tokens,
  ReadLog,
};

struct RateLimit {
  double perSecond = 1;
  int burst = 3;
  bool operator==(const RateLimit&) const = default;
};

/// Fly's limit for an action, minus a margin for requests that arrive closer together than they were sent.
RateLimit limitOf(Action action);

/// All buckets. Full ones are removed from time to time. For one loop.
class RateLimiter {
 public:
  /// `faster` multiplies every rate and burst, for tests whose server has no limits.
  explicit RateLimiter(double faster = 1) : faster_(faster) {}
  std::chrono::nanoseconds waitTime(Action action, const std::string& id, SteadyTime now) { return bucket(action, id, now).waitTime(now); }
  std::chrono::nanoseconds take(Action action, const std::string& id, SteadyTime now) { return bucket(action, id, now).take(now); }
  void blockUntil(Action action, const std::string& id, SteadyTime time, SteadyTime now) { bucket(action, id, now).blockUntil(time); }
  std::size_t size() const { return buckets_.size(); }

 private:
  TokenBucket& bucket(Action action, const std::string& id, SteadyTime now);
  double faster_;
  std::map<std::pair<Action, std::string>, TokenBucket> buckets_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace swarm::flyio
