#include "provider/flyio/machine/leases.h"

#include "async/attempt.h"
#include "base/diagnostics/log.h"

namespace swarm::flyio {

awaitable<std::string> Leases::findOwn(Machine machine, Deadline deadline) {
  auto lease = co_await client_.findLease(std::move(machine), deadline);
  // Only this server acquires leases with this text, and holds none beyond a call: a crash left it behind.
  co_return lease && lease->description == swarm_.leaseText() ? lease->nonce : "";
}

awaitable<std::string> Leases::acquire(Machine machine, Deadline deadline) {
  auto call = [&](std::string nonce) { return client_.acquireLease(machine, swarm_.leaseText(), std::move(nonce), deadline); };
  FlyResult<std::string> acquired = co_await perform(machine, call, deadline);
  if (!acquired) throw acquired.error().error();
  co_return std::move(*acquired);
}

awaitable<void> Leases::release(Machine machine, std::string nonce) {
  std::string id = machine.id;
  Deadline deadline = Deadline::after(std::chrono::seconds(10));
  auto released = co_await async::attempt(client_.releaseLease(std::move(machine), std::move(nonce), deadline));
  if (!released) log::debug("could not release a lease, which will expire", {{"machine", id}, {"error", released.error().message()}});
}

}  // namespace swarm::flyio
