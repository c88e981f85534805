// Leases: exclusive use of a Machine. Waits for another client's lease; reuses one of our own that a crash left behind.
#pragma once

#include <optional>
#include <string>

#include "async/attempt.h"
#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/api/transport/backoff.h"
#include "provider/flyio/fly_swarm.h"

namespace swarm::flyio {

class Leases {
 public:
  Leases(MachinesClient& client, const FlySwarm& swarm) : client_(client), swarm_(swarm) {}

  awaitable<std::string> acquire(Machine machine, Deadline deadline);  ///< the nonce
  awaitable<void> release(Machine machine, std::string nonce);         ///< never throws Error: a lease expires

  /// Performs `call(nonce)`, which returns awaitable<FlyResult<…>>, until no lease of another client refuses it or time is short.
  template <typename Call>
  auto perform(Machine machine, Call call, Deadline deadline) -> decltype(call(std::string()));

 private:
  /// The nonce of a lease of ours; empty without one.
  awaitable<std::string> findOwn(Machine machine, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
};

template <typename Call>
auto Leases::perform(Machine machine, Call call, Deadline deadline) -> decltype(call(std::string())) {
  Backoff backoff(client_.tuning());
  std::string nonce;
  std::optional<FlyFailure> refusal;  // says more than a request that the deadline cut
  for (;;) {
    auto result = co_await call(nonce);
    if (result) co_return result;
    if (!isLeaseHeld(result.error().fault())) {
      if (refusal && result.error().isFateOpen() && deadline.hasPassed()) co_return std::unexpected(std::move(*refusal));
      co_return result;
    }
    refusal = result.error();
    auto own = co_await async::attempt(findOwn(machine, deadline));
    if (!own && deadline.hasPassed()) co_return result;
    if (!own) throw own.error();
    if (!own->empty() && *own != nonce) {
      nonce = std::move(*own);
      continue;
    }
    if (!backoff.fits(deadline)) co_return result;
    co_await backoff.pause(deadline, "Timed out: another client held the Machine's lease.");
  }
}

}  // namespace swarm::flyio
