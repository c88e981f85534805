// Creating and updating Machines (§3): all checks, then one change.
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/rules/lifecycle.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

constexpr std::size_t kMaxVersions = 20;

/// Everything that a create must determine before it changes anything.
struct Placement {
  VolumePtr volume;
  std::string region;
  Host* host = nullptr;
};

const json::object& requireConfig(const Body& fields) {
  const json::object* config = fields.object("config");
  if (!config) refuse(400, "config is required");  // I: the wording
  checkConfig(*config);
  return *config;
}

/// Fly queries the registry. I: the response for a missing image.
awaitable<ImageReference> resolveImage(Core& core, std::string name) {
  ImageReference image = parseImage(name);
  std::optional<ImageFacts> facts = co_await core.backend->findImage(backendName(name), Deadline::after(std::chrono::minutes(2)));
  if (!facts) refuse(400, format("failed to get manifest {}: manifest unknown", name));
  if (image.digest.empty()) image.digest = facts->digest;
  image.labels = facts->labels;
  co_return image;
}

/// The volume referenced by config.mounts; null without a mount.
VolumePtr findMount(Core& core, const Call& call, const json::object& config) {
  const json::object* mount = firstObject(config, "mounts");
  if (!mount) return nullptr;
  std::string id = textOf(*mount, "volume");
  if (!id.empty()) {
    VolumePtr volume = core.world.findVolume(*call.app, id);
    if (!volume || volume->isGoing()) refuse(404, format("volume {} not found", id));  // I: status and wording; §13-33
    if (std::string holder = core.boundTo(*volume); !holder.empty()) refuseBy("E26", {{"id", holder}});
    return volume;
  }
  // I: a mount by name takes a free volume of that name.
  std::string name = textOf(*mount, "name");
  for (const auto& [number, volume] : call.app->volumes) {
    if (volume->name == name && !volume->isGoing() && core.boundTo(*volume).empty()) return volume;
  }
  refuse(412, format("failed_precondition: no free volume named '{}'", name));
}

/// Region scope: the first region of the expression with room (E22); volume scope: the volume's host or nothing (E23).
Placement place(Core& core, const Call& call, const json::object& config, const GuestSize& guest) {
  Placement placement;
  placement.volume = findMount(core, call, config);
  std::string expression = call.fields().text("region");
  if (placement.volume) {
    const Volume& volume = *placement.volume;
    // I: the wording; §7: it must be in the Machine's region.
    if (!expression.empty() && expression != volume.region) {
      refuse(400, format("invalid_argument: volume {} is in region {}, not {}", volume.id, volume.region, expression));
    }
    placement.region = volume.region;
    placement.host = volume.host;
    if (!core.capacity.fits(*volume.host, guest)) refuseBy("E23", {{"volume", volume.id}});
    return placement;
  }
  std::vector<std::string> regions = expression.empty() ? std::vector{core.options.regions.front()} : core.capacity.regionsOf(expression);
  if (regions.empty()) refuse(400, format("invalid_argument: unknown region '{}'", expression));  // I: the wording
  for (const std::string& region : regions) {
    placement.host = core.capacity.place(region, guest);
    placement.region = region;
    if (placement.host) return placement;
  }
  refuseBy("E22");
}

void checkQuota(const Core& core, const App& app, const std::string& region, const GuestSize& guest) {
  auto used = core.capacity.overQuota(region, guest);
  if (used) refuseBy("E4", {{"organization", app.organization}, {"used", std::to_string(*used)}, {"region", region}});
}

void checkName(const App& app, const std::string& name) {
  auto taken = app.machinesByName.find(name);
  if (!name.empty() && taken != app.machinesByName.end()) refuseBy("E15", {{"id", taken->second->id}, {"name", name}});
}

void checkSecretsVersion(const Call& call) {
  auto minimum = call.fields().integer("min_secrets_version");
  // I: the response when it is never reached.
  if (minimum && *minimum > call.app->secretsVersion) refuse(412, "failed_precondition: secrets version not available yet");
}

void setConfig(Core& core, Machine& machine, const json::object& config) {
  machine.config = config;
  machine.version = newUlid(core.now());
  machine.versions.push_back({machine.version, config});
  if (machine.versions.size() > kMaxVersions) machine.versions.erase(machine.versions.begin());
}

void mount(Core& core, const MachinePtr& machine, const VolumePtr& volume, const json::object& config) {
  machine->volumeId = volume->id;
  machine->mountPath = textOf(*firstObject(config, "mounts"), "path");
  volume->attachedMachine = machine->id;
  volume->boundUntil = SystemTime::max();
  core.touch(volume);
}

std::string freeName(const App& app, const std::string& wanted) {
  std::string name = wanted.empty() ? newMachineName() : wanted;
  while (app.machinesByName.contains(name)) name = newMachineName();
  return name;
}

MachinePtr makeMachine(Core& core, Call& call, const json::object& config, const GuestSize& guest, ImageReference image,
                       const Placement& placement) {
  Body fields = call.fields();
  auto machine = std::make_shared<Machine>();
  machine->id = newMachineId();
  machine->number = core.world.nextNumber();
  machine->name = freeName(*call.app, fields.text("name"));
  machine->region = placement.region;
  machine->host = placement.host;
  machine->guest = guest;
  machine->image = std::move(image);
  machine->privateIp = privateAddress(call.app->organization, call.app->network, machine->id);
  machine->skipSecrets = fields.flag("skip_secrets").value_or(false);
  machine->createdAt = core.now();
  machine->visibleAt = core.now() + call.fault.propagation.value_or(core.options.times.machinePropagation);
  setConfig(core, *machine, config);
  core.world.add(call.app, machine);
  if (placement.volume) mount(core, machine, placement.volume, config);
  core.applyFault(call.fault, machine->id);
  const json::array* standbys = arrayOf(config, "standbys");
  bool stands_by = standbys && !standbys->empty();  // started by Fly when one of those fails, which is not emulated
  machine->launchPending = !fields.flag("skip_launch").value_or(false) && !stands_by;
  core.capacity.account(*machine);
  core.note(machine, {"launch", "created", "user"});
  return machine;
}

/// §3: an update leaves immutable fields unchanged.
void checkUpdate(const Call& call, const json::object& config) {
  Body fields = call.fields();
  const Machine& machine = *call.machine;
  std::string version = fields.text("current_version");
  if (!version.empty() && version != machine.version) refuseBy("E17", {{"given", version}});
  std::string region = fields.text("region"), name = fields.text("name");
  // I: that a changed region or name is refused; §3: they are immutable.
  if (!region.empty() && region != machine.region) refuse(400, "invalid_argument: a machine's region can't be changed");
  if (!name.empty() && name != machine.name) refuse(400, "invalid_argument: a machine's name can't be changed");
  const json::object* mount = firstObject(config, "mounts");
  std::string volume = mount ? textOf(*mount, "volume") : "";
  bool changed = mount ? machine.volumeId.empty() || (!volume.empty() && volume != machine.volumeId) : !machine.volumeId.empty();
  // I: status and wording; §3: an update cannot attach or replace a volume.
  if (changed) refuse(400, "invalid_argument: a machine's volume can't be changed by an update");
  if (!isReachable(machine)) refuse(412, "failed_precondition: machine's host is unreachable");  // I: status and wording
}

/// The state that the update leads to (§4: "updating"), or a refusal when the Machine is in another transition.
State stateAfterUpdate(const Machine& machine, bool skip_launch) {
  switch (machine.state) {
    case State::started:
    case State::failed:
    case State::created:
      return skip_launch ? State::created : State::started;
    case State::stopped:
    case State::suspended:
      return State::stopped;  // §3: a stopped Machine stays stopped. I: a suspended one, too
    case State::replacing:
      refuseBy("E18");
    case State::starting:
      refuseBy("E13");
    default:
      refuse(412,
             format("failed_precondition: unable to update machine from current state: '{}'", toString(machine.state)));  // I: the wording
  }
}

/// The other size must fit on the same host (E19).
void resize(Core& core, Machine& machine, const GuestSize& guest, State after) {
  const auto count = [&](const GuestSize& size, int sign) {
    if (!machine.reserved) return;
    machine.host->usedMemoryMb += sign * size.memoryMb;
    machine.host->usedCpus += sign * size.cpus;
  };
  count(machine.guest, -1);
  if (after != State::stopped && machine.host && !core.capacity.fits(*machine.host, guest)) {
    count(machine.guest, 1);
    refuseBy(core.capacity.memoryFits(*machine.host, guest) ? "E19.cpus" : "E19");
  }
  machine.guest = guest;
  count(guest, 1);
}

awaitable<Response> createMachine(Core& core, Call& call) {
  Body fields = call.fields();
  const json::object& config = requireConfig(fields);
  GuestSize guest = checkGuest(config);
  checkSecretsVersion(call);
  checkName(*call.app, fields.text("name"));
  place(core, call, config, guest);
  ImageReference image = co_await resolveImage(core, textOf(config, "image"));
  // Other requests may have run in between: from here on nothing waits.
  if (call.app->deleted) refuseBy("E6");
  checkName(*call.app, fields.text("name"));
  Placement placement = place(core, call, config, guest);
  checkQuota(core, *call.app, placement.region, guest);
  core.forgetOld();
  MachinePtr machine = makeMachine(core, call, config, guest, std::move(image), placement);
  MachineView view;
  if (auto ttl = fields.integer("lease_ttl"); ttl && *ttl > 0) view.nonce = takeLease(core, call, machine, *ttl, "").nonce;
  json::object body = machineToJson(core, *machine, view);
  core.servicesChanged();
  if (machine->launchPending) beginLaunch(core, machine);
  co_return jsonResponse(200, body);
}

awaitable<Response> updateMachine(Core& core, Call& call) {
  Body fields = call.fields();
  const MachinePtr machine = call.machine;
  const json::object& config = requireConfig(fields);
  GuestSize guest = checkGuest(config);
  checkSecretsVersion(call);
  checkUpdate(call, config);
  bool skip_launch = fields.flag("skip_launch").value_or(false);
  stateAfterUpdate(*machine, skip_launch);
  ImageReference image = co_await resolveImage(core, textOf(config, "image"));
  checkUpdate(call, config);
  requireLease(core, call, *machine);
  State after = stateAfterUpdate(*machine, skip_launch);
  resize(core, *machine, guest, after);
  StopOrder order = stopOrderOf(machine->config);
  setConfig(core, *machine, config);
  if (const json::object* mounted = firstObject(config, "mounts")) machine->mountPath = textOf(*mounted, "path");
  machine->image = std::move(image);
  machine->skipSecrets = fields.flag("skip_secrets").value_or(false);
  core.applyFault(call.fault, machine->id);
  MachineView view;
  if (auto ttl = fields.integer("lease_ttl"); ttl && *ttl > 0) view.nonce = takeLease(core, call, machine, *ttl, "").nonce;
  if (machine->lease) machine->lease->version = machine->version;
  beginReplace(core, machine, std::move(order), after);
  co_return jsonResponse(200, machineToJson(core, *machine, view));
}

}  // namespace

std::vector<Route> machineWriteRoutes() {
  return {
      {"POST", "/machines", "machine_create", createMachine, Scope::App, required("main.createMachineRequest")},
      {"POST", "", "machine_update", updateMachine, Scope::Machine, required("main.updateMachineRequest"), LeaseGate::Gated},
  };
}

}  // namespace swarm::emulator
