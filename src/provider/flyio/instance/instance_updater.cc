// Updates, sizes and the network of an existing Machine.
#include <set>

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "provider/flyio/check/image_check.h"
#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/machine_patch.h"
#include "provider/flyio/spec/machine_state.h"
#include "provider/kept_resources.h"

namespace swarm::flyio {
namespace {

constexpr int kMaxAttempts = 5;
constexpr std::chrono::seconds kGrace{10};

void requireUpdatable(const Machine& machine) {
  if (isReader(machine)) {  // the agent's file and the record in its app are the instance's
    throw Error(ErrorCode::Conflict, "A place that reads a snapshot cannot be changed.").withInstance(machine.metadata(kMetaInstance));
  }
  if (machine.isHostUnreachable() || !machine.hasConfig) throw hostUnreachable(machine);
}

struct Change {
  json::object config;
  std::string hash;  ///< of the plan
  std::int64_t secrets = 0;
};

/// One attempt, under the lease. Neither a Machine nor a shortage: a concurrent change, or a lost response to a request without effect.
awaitable<Made<Machine>> tryUpdate(FlyParts& parts, Machine machine, const Change& change, std::string lease, Deadline deadline) {
  MachineUpdate update{patchedConfig(machine.config, change.config), change.secrets};
  faultPoint("flyio.update.before");
  FlyResult<Machine> updated = co_await parts.client.updateMachine(machine, std::move(update), std::move(lease), deadline);
  faultPoint("flyio.update.after");
  if (updated) {
    parts.cache.remember(*updated);
    co_return std::move(*updated);
  }
  const FlyFailure& failure = updated.error();
  if (failure.shortage() != Shortage::None) co_return std::unexpected(NotMade{failure.shortage(), failure.error()});
  bool is_final = !failure.isFateOpen() && failure.fault().status != 409 && !failure.isTemporary();
  if (is_final) throw failure.error(format(" to {}", stringIn(change.config, "image")));
  Machine now = co_await parts.machines.readAgain(std::move(machine), deadline);
  if (now.metadata(kMetaSpec) == change.hash) co_return std::move(now);
  co_return std::unexpected(NotMade{Shortage::None, failure.error()});
}

awaitable<Made<Machine>> updateUnderLease(FlyParts& parts, Machine& machine, const Change& change, std::string lease, Deadline deadline) {
  machine = co_await parts.machines.readAgain(std::move(machine), deadline);
  requireUpdatable(machine);
  co_return co_await tryUpdate(parts, machine, change, std::move(lease), deadline);
}

awaitable<Machine> updateOnAnotherHost(FlyParts& parts, Machine machine, json::object config, Progress& progress, Deadline deadline) {
  bool ran = machine.state == MachineState::started || isTransient(machine.state);
  machine = co_await parts.lifecycle.stop(std::move(machine), kGrace, deadline);
  auto moved = co_await async::attempt(parts.moves.move(machine, std::move(config), progress, deadline));
  if (moved && !ran) moved = co_await async::attempt(parts.lifecycle.stop(std::move(*moved), kGrace, deadline));
  if (moved) co_return std::move(*moved);
  if (ran && moved.error().code() == ErrorCode::OutOfResources) co_await parts.moves.start(std::move(machine), progress, deadline);
  throw moved.error();
}

awaitable<Machine> update(FlyParts& parts, Machine machine, Change change, Progress& progress, Deadline deadline) {
  Backoff backoff(parts.client.tuning());
  for (int tries = 1;; ++tries) {
    std::string lease = co_await parts.leases.acquire(machine, deadline);
    auto updated = co_await async::attempt(updateUnderLease(parts, machine, change, lease, deadline));
    co_await parts.leases.release(machine, lease);
    if (!updated) throw updated.error();
    Made<Machine>& made = *updated;
    if (made) co_return std::move(*made);
    if (made.error().shortage != Shortage::None) {
      json::object config = patchedConfig(machine.config, change.config);
      co_return co_await updateOnAnotherHost(parts, std::move(machine), std::move(config), progress, deadline);
    }
    if (tries == kMaxAttempts || !backoff.fits(deadline)) throw made.error().error;
    co_await backoff.pause(deadline, "Timed out changing the Machine's configuration.");
  }
}

/// The size of the mounted volume afterwards: it never shrinks. Nothing without a volume.
awaitable<std::optional<std::int64_t>> growMounted(FlyParts& parts, const Machine& machine, std::int64_t size_gb, Deadline deadline) {
  std::string mounted = machine.volumeId();
  if (mounted.empty()) co_return std::nullopt;
  auto volume = co_await parts.client.findVolume(machine.app, mounted, deadline);
  if (!volume) co_return std::nullopt;
  co_await parts.volumes.extend(*volume, size_gb, deadline);
  co_return std::max(size_gb, volume->sizeGb);
}

awaitable<Machine> applyPlan(FlyParts& parts, Machine machine, InstancePlan plan, Progress& progress, Deadline deadline) {
  if (auto size = co_await growMounted(parts, machine, plan.volumeGb, deadline)) noteSize(plan, *size);
  progress.step(Step::WriteSecrets);
  std::int64_t secrets = co_await parts.apps.writeSecrets(plan, deadline);
  progress.step(Step::ChangeMachine);
  bool runs = machine.state == MachineState::started;
  machine = co_await update(parts, std::move(machine), {plan.config, plan.hash, secrets}, progress, deadline);
  if (runs && !isTransient(machine.state) && machine.state != MachineState::started)
    machine = co_await parts.machines.readAgain(std::move(machine), deadline);
  co_return machine;
}

}  // namespace

awaitable<ProviderInstance> replaceInstance(FlyParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline) {
  auto guard = co_await parts.locks.acquire(spec.placeId.str(), deadline);
  Machine machine = co_await parts.machines.require(spec.placeId, deadline);
  requireUpdatable(machine);
  // The agent of its present image may not support public keys; another image counts as new.
  bool keeps_image = withoutDigest(stringIn(machine.config, "image")) == withoutDigest(imageAtFly(spec.config.image, parts.swarm.config));
  InstancePlan plan =
      planInstance(spec, parts.swarm.config, parts.swarm.id, keeps_image ? credentialOf(machine) : AgentCredential::PublicKey);
  plan.app = machine.app;
  addToRecord(plan, readStorage(machine.metadata(kMetaStorage)));
  co_await progress.recorded({ResourceKind::app, machine.app});
  co_await progress.recorded({ResourceKind::machine, machine.id});
  std::string mounted = machine.volumeId();
  if (!mounted.empty()) co_await progress.recorded({ResourceKind::volume, mounted});
  if (mounted.empty() && plan.volumeGb > 0) {
    throw Error(ErrorCode::Unprocessable, "A Machine that was created without a volume cannot get one later. Create a new workspace.")
        .withField("/storage", "cannot be added on Fly");
  }
  plan.volumeId = mounted;
  bool is_changed = machine.metadata(kMetaSpec) != plan.hash || spec.newestImage;  // Fly resolves the tag again at each update
  if (is_changed) machine = co_await applyPlan(parts, std::move(machine), std::move(plan), progress, deadline);
  if (isTransient(machine.state)) machine = co_await parts.lifecycle.waitFor(std::move(machine), kSettled, deadline);
  co_return toInstance(co_await parts.machines.readAgain(std::move(machine), deadline), parts.swarm.config);
}

awaitable<AllocationEffect> allocateResources(FlyParts& parts, PlaceId place_id, ResourceConfig resources, Deadline deadline) {
  Guest guest = roundUp(resources);
  auto guard = co_await parts.locks.acquire(place_id.str(), deadline);
  Machine machine = co_await parts.machines.require(place_id, deadline);
  requireUpdatable(machine);
  ResourceConfig now = resourcesOf(machine);
  const json::value* present = machine.config.if_contains("guest");
  bool same_guest = present && readGuest(*present) == guest;
  std::int64_t size = resources.storage.size;
  if (size > kLargestVolumeGb) {
    throw Error(ErrorCode::Unprocessable,
                format("{} GiB of storage were requested; a volume on Fly has at most {} GiB.", size, kLargestVolumeGb))
        .withField("/resources/storage/size", "is too large");
  }
  if (!same_guest) co_return AllocationEffect::NeedsRestart;  // another size requires a reboot, which replaceInstance does on request
  // A volume grows while it is in use and never shrinks: a smaller size is ignored.
  if (size > now.storage.size) co_await growMounted(parts, machine, size, deadline);
  resources.storage.size = std::max(size, now.storage.size);
  faultPoint("flyio.allocate.before");
  co_await parts.client.patchMetadata(machine, {{kMetaResources, keptText(resources)}}, deadline);
  faultPoint("flyio.allocate.after");
  co_await parts.machines.readAgain(std::move(machine), deadline);
  co_return AllocationEffect::Live;
}

awaitable<AllocationEffect> configureNetwork(FlyParts& parts, PlaceId place_id, NetworkConfig network, Deadline deadline) {
  checkNetwork(network);
  Machine machine = co_await parts.machines.require(place_id, deadline);
  json::value ports = parseOrNull(machine.metadata(kMetaPorts));
  std::set<std::int64_t> present, wanted(network.exposedPorts.begin(), network.exposedPorts.end());
  for (const json::value& port : arrayAt(ports, "")) present.insert(port.is_int64() ? port.as_int64() : 0);
  bool wants_private = !parts.swarm.config.publicAddresses || (network.flyio && network.flyio->privateNetwork);
  bool is_same = machine.config.contains("services") && present == wanted && wants_private == isPrivate(machine);
  co_return is_same ? AllocationEffect::Live : AllocationEffect::NeedsRestart;
}

}  // namespace swarm::flyio
