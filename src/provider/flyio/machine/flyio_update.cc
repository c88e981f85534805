// replaceInstance: a new version of the same Machine, in place, under a lease. Fly runs the old version until it accepts the new one.
#include <boost/json/serialize.hpp>

#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/check/image_check.h"

namespace swarm::flyio {
namespace {

constexpr int kMaxAttempts = 5;
constexpr std::chrono::seconds kGrace{10};

std::string leasePath(const Machine& machine) { return format("/v1/apps/{}/machines/{}/lease", machine.app, machine.id); }

void requireUpdatable(const Machine& machine) {
  if (isReader(machine)) {  // the agent's file and the record in its app are the instance's
    throw Error(ErrorCode::Conflict, "A place that reads a snapshot cannot be changed.").withInstance(machine.metadata(kMetaInstance));
  }
  if (machine.isHostUnreachable() || !machine.hasConfig) throw hostUnreachable(machine);
}

}  // namespace

awaitable<std::string> FlyIOProvider::acquireLease(const Machine& machine, Deadline deadline) {
  const std::string doing = "acquire the Machine's lease";
  FlyCall call{.action = Action::AcquireLease,
               .id = machine.id,
               .method = "POST",
               .target = leasePath(machine),
               .doing = doing,
               .body = json::object{{"description", "swarm " + swarm_id_}, {"ttl", client_.tuning().leaseTime.count()}}};
  FlyReply reply = co_await mutate(machine, std::move(call), deadline);
  if (!reply.ok()) throw client_.failure(reply, doing);
  json::value answer = reply.json();
  std::string nonce = stringAt(answer, "data.nonce");
  co_return nonce.empty() ? stringAt(answer, "nonce") : nonce;
}

awaitable<void> FlyIOProvider::releaseLease(const Machine& machine, std::string nonce) {
  FlyCall call{.action = Action::ReleaseLease,
               .id = machine.id,
               .method = "DELETE",
               .target = leasePath(machine),
               .doing = "release the Machine's lease",
               .leaseNonce = std::move(nonce)};
  try {
    co_await client_.send(std::move(call), Deadline::after(std::chrono::seconds(10)));
  } catch (const Error& error) {
    log::debug("could not release a lease, which will expire", {{"machine", machine.id}, {"error", error.message()}});
  }
}

/// One attempt, under the lease. Neither a Machine nor a shortage: a concurrent change, or a lost response to a request without effect.
awaitable<FlyIOProvider::Attempt<Machine>> FlyIOProvider::tryUpdate(Machine machine, const InstancePlan& plan, std::int64_t secrets,
                                                                    std::string nonce, Deadline deadline) {
  const std::string doing = "change the Machine's configuration";
  json::object body{{"config", patchedConfig(machine.config, plan.config)}, {"current_version", machine.version}, {"name", machine.name}};
  if (!machine.region.empty()) body["region"] = machine.region;
  if (secrets > 0) body["min_secrets_version"] = secrets;
  if (machine.state == "created") body["skip_launch"] = true;
  FlyCall call{.action = Action::UpdateMachine,
               .id = machine.id,
               .method = "POST",
               .target = format("/v1/apps/{}/machines/{}", machine.app, machine.id),
               .doing = doing,
               .body = std::move(body),
               .repeat = Repeat::Never,
               .leaseNonce = std::move(nonce),
               .timeout = std::chrono::seconds(60)};
  faultPoint("flyio.update.before");
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  faultPoint("flyio.update.after");
  if (reply.ok()) {
    Machine updated = readMachine(reply.json(), machine.app);
    if (!updated.id.empty()) {
      remember(updated);
      co_return Attempt<Machine>{std::move(updated), Shortage::None, {}};
    }
  }
  FlyFault fault = reply.fault();
  Shortage shortage = shortageOf(fault);
  if (shortage != Shortage::None) co_return Attempt<Machine>{{}, shortage, client_.failure(reply, doing)};
  bool is_final = !reply.isFateOpen() && fault.status != 409 && !isPassing(fault);
  if (is_final) throw client_.failure(reply, format("{} to {}", doing, stringAt(json::value(plan.config), "image")));
  Attempt<Machine> open;
  Machine now = co_await readAgain(std::move(machine), deadline);
  if (now.metadata(kMetaSpec) == plan.hash) open.made = std::move(now);
  open.error = client_.failure(reply, doing);
  co_return open;
}

awaitable<Machine> FlyIOProvider::updateMachine(Machine machine, const InstancePlan& plan, std::int64_t secrets, Progress& progress,
                                                Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (int tries = 1;; ++tries) {
    std::string nonce = co_await acquireLease(machine, deadline);
    std::optional<Error> failure;
    Attempt<Machine> attempt;
    try {
      machine = co_await readAgain(std::move(machine), deadline);
      requireUpdatable(machine);
      attempt = co_await tryUpdate(machine, plan, secrets, nonce, deadline);
    } catch (const Error& error) {
      failure = error;
    }
    co_await releaseLease(machine, nonce);
    if (failure) throw *failure;
    if (attempt.made) co_return std::move(*attempt.made);
    if (attempt.shortage != Shortage::None) {
      bool ran = machine.state == "started" || isTransient(machine.state);
      json::object config = patchedConfig(machine.config, plan.config);
      machine = co_await stopMachine(std::move(machine), kGrace, deadline);
      std::optional<Error> no_room;
      try {
        Machine moved = co_await moveElsewhere(machine, std::move(config), progress, deadline);
        if (!ran) moved = co_await stopMachine(std::move(moved), kGrace, deadline);
        co_return moved;
      } catch (const Error& error) {
        no_room = error;
      }
      if (ran && no_room->code() == ErrorCode::OutOfResources) co_await startMachine(std::move(machine), progress, deadline);
      throw *no_room;
    }
    if (tries == kMaxAttempts || deadline.left() <= delay) throw *attempt.error;
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out changing the Machine's configuration.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<ProviderInstance> FlyIOProvider::replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(spec.instanceId, deadline);
  Machine machine = co_await requireMachine(spec.instanceId, deadline);
  requireUpdatable(machine);
  // The agent of its present image may not support public keys; another image counts as new.
  bool keeps_image = withoutDigest(stringAt(json::value(machine.config), "image")) == withoutDigest(imageAtFly(spec.config.image, config_));
  InstancePlan plan = planInstance(spec, config_, swarm_id_, keeps_image ? credentialOf(machine) : AgentCredential::PublicKey);
  plan.app = machine.app;
  addToRecord(plan, readStorage(machine.metadata(kMetaStorage)));
  co_await progress.recorded({"app", machine.app});
  co_await progress.recorded({"machine", machine.id});
  std::string mounted = machine.volumeId();
  if (!mounted.empty()) co_await progress.recorded({"volume", mounted});
  if (mounted.empty() && plan.volumeGb > 0) {
    throw Error(ErrorCode::Unprocessable, "A Machine that was created without a volume cannot get one later. Create a new workspace.")
        .withField("/storage", "cannot be added on Fly");
  }
  plan.volumeId = mounted;
  if (machine.metadata(kMetaSpec) != plan.hash || spec.newestImage) {  // Fly resolves the tag again at each update
    if (!mounted.empty()) {
      auto volume = co_await client_.findVolume(machine.app, mounted, deadline);
      if (volume) {
        co_await growVolume(*volume, plan.volumeGb, deadline);
        noteSize(plan, std::max(plan.volumeGb, volume->sizeGb));  // it never shrinks
      }
    }
    progress.step(Step::WriteSecrets);
    std::int64_t secrets = co_await writeSecrets(plan, deadline);
    progress.step(Step::ChangeMachine);
    bool runs = machine.state == "started";
    machine = co_await updateMachine(std::move(machine), plan, secrets, progress, deadline);
    if (runs && !isTransient(machine.state) && machine.state != "started") machine = co_await readAgain(std::move(machine), deadline);
  }
  if (isTransient(machine.state)) machine = co_await waitFor(std::move(machine), "settled", INT64_MAX, deadline);
  co_return toInstance(co_await readAgain(std::move(machine), deadline), config_);
}

awaitable<AllocationEffect> FlyIOProvider::allocateResources(std::string instance_id, ResourceConfig resources, Deadline deadline) {
  Guest guest = roundUp(resources);
  async::KeyedLock::Guard guard = co_await locks_.acquire(instance_id, deadline);
  Machine machine = co_await requireMachine(instance_id, deadline);
  requireUpdatable(machine);
  ResourceConfig now = resourcesOf(machine);
  const json::value* present = machine.config.if_contains("guest");
  bool same_guest = present && readGuest(*present) == guest;
  std::int64_t size = resources.storage.size;
  std::string mounted = machine.volumeId();
  if (size > kLargestVolumeGb) {
    throw Error(ErrorCode::Unprocessable,
                format("{} GiB of storage were requested; a volume on Fly has at most {} GiB.", size, kLargestVolumeGb))
        .withField("/resources/storage/size", "is too large");
  }
  if (!same_guest) co_return AllocationEffect::NeedsRestart;  // another size requires a reboot, which replaceInstance does on request
  // A volume grows while it is in use and never shrinks: a smaller size is ignored.
  if (!mounted.empty() && size > now.storage.size) {
    auto volume = co_await client_.findVolume(machine.app, mounted, deadline);
    if (volume) co_await growVolume(*volume, size, deadline);
  }
  json::object kept{{"min", resources.memory.min},
                    {"pids", resources.pids},
                    {"size", std::max(size, now.storage.size)},
                    {"persistent", resources.storage.persistent}};
  faultPoint("flyio.allocate.before");
  co_await client_.patchMetadata(machine.app, machine.id, {{kMetaResources, json::serialize(kept)}}, deadline);
  faultPoint("flyio.allocate.after");
  co_await readAgain(std::move(machine), deadline);
  co_return AllocationEffect::Live;
}

awaitable<AllocationEffect> FlyIOProvider::configureNetwork(std::string instance_id, NetworkConfig network, Deadline deadline) {
  checkNetwork(network);
  Machine machine = co_await requireMachine(instance_id, deadline);
  const json::value* services = machine.config.if_contains("services");
  json::value ports = parseOrNull(machine.metadata(kMetaPorts));
  std::set<std::int64_t> present, wanted(network.exposedPorts.begin(), network.exposedPorts.end());
  for (const json::value& port : ports.is_array() ? ports.as_array() : json::array()) present.insert(port.is_int64() ? port.as_int64() : 0);
  bool wants_private = !config_.publicAddresses || (network.flyio && network.flyio->privateNetwork);
  bool same = services && present == wanted && wants_private == isPrivate(machine);
  co_return same ? AllocationEffect::Live : AllocationEffect::NeedsRestart;
}

}  // namespace swarm::flyio
