// The admin routes: faults, state, hosts, capacity, settings.
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/api/route.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {
namespace {

MachinePtr requireMachine(const Core& core, const std::string& id) {
  auto found = core.world.machines.find(id);
  if (found == core.world.machines.end()) refuseBy("E7");
  return found->second;
}

json::object countWorld(const Core& core) {
  std::int64_t apps = 0, ips = 0, secrets = 0, machines = 0, destroyed = 0, volumes = 0, soft_deleted = 0, snapshots = 0, leases = 0;
  std::map<std::string, std::int64_t> by_state;
  for (const auto& [name, app] : core.world.apps) {
    apps += app->deleted ? 0 : 1;
    ips += static_cast<std::int64_t>(app->ips.size());
    secrets += static_cast<std::int64_t>(app->secrets.size());
  }
  for (const auto& [id, machine] : core.world.machines) {
    if (machine->state == MachineState::destroyed) {
      ++destroyed;
      continue;
    }
    ++machines;
    ++by_state[std::string(toString(machine->state))];
    leases += machine->lease && machine->lease->expiresAt > core.now() ? 1 : 0;
  }
  for (const auto& [id, volume] : core.world.volumes) {
    (volume->isGoing() ? soft_deleted : volumes) += 1;
    snapshots += static_cast<std::int64_t>(volume->snapshots.size());
  }
  json::object states;
  for (const auto& [state, count] : by_state) states[state] = count;
  return {{"apps", apps},           {"ips", ips},
          {"secrets", secrets},     {"machines", machines},
          {"states", states},       {"destroyed_machines", destroyed},
          {"volumes", volumes},     {"soft_deleted_volumes", soft_deleted},
          {"snapshots", snapshots}, {"leases", leases}};
}

awaitable<Response> showState(Core& core, Call&) {
  json::object state = countWorld(core);
  Deadline deadline = Deadline::after(std::chrono::seconds(30));
  std::vector<std::string> machines = co_await core.backend->machineIds(deadline);
  std::vector<std::string> volumes = co_await core.backend->volumeIds(deadline);
  state["backend"] = {{"machines", machines.size()}, {"volumes", volumes.size()}};
  state["requests"] = core.requests;
  state["faults"] = core.faults.describe();
  for (const auto& contribute : core.stateContributors) contribute(state);
  co_return jsonResponse(200, state);
}

awaitable<Response> addFault(Core& core, Call& call) { co_return jsonResponse(201, json::object{{"id", core.faults.add(call.document)}}); }

awaitable<Response> showFaults(Core& core, Call&) { co_return jsonResponse(200, core.faults.describe()); }

awaitable<Response> clearFaults(Core& core, Call&) {
  core.faults.clear();
  core.transitionFaults.clear();
  core.stuckMachines.clear();
  co_return emptyResponse(204);
}

/// {"status":"unreachable"|"ok"} for the Machine's host, and thus for all Machines there.
awaitable<Response> setHostStatus(Core& core, Call& call) {
  MachinePtr machine = requireMachine(core, call.arguments[0]);
  std::string status = call.fields().text("status");
  if (status != "ok" && status != "unreachable") refuse(400, "status must be ok or unreachable");
  machine->host->status = status == "ok" ? HostStatus::ok : HostStatus::unreachable;
  for (const auto& [id, other] : core.world.machines) {
    if (other->host == machine->host) other->changed.notifyAll();
  }
  co_return jsonResponse(200, json::object{{"host", machine->host->id}, {"status", status}});
}

awaitable<Response> migrateMachine(Core& core, Call& call) {
  beginMigration(core, requireMachine(core, call.arguments[0]));
  co_return emptyResponse(202);
}

/// {"memory_mb","cpus"} of each host; 0: unlimited.
awaitable<Response> setCapacity(Core& core, Call& call) {
  if (!core.capacity.hasRegion(call.arguments[0])) refuse(404, "unknown region");
  HostSize size = core.capacity.sizeOf(call.arguments[0]);
  Body fields = call.fields();
  size.memoryMb = fields.integer("memory_mb").value_or(size.memoryMb);
  size.cpus = static_cast<int>(fields.integer("cpus").value_or(size.cpus));
  core.capacity.setHostSize(call.arguments[0], size);
  co_return emptyResponse(204);
}

/// {"rate_limits":bool, "quota_mb":N, "times_ms":{"launch":N, …}}
awaitable<Response> changeSettings(Core& core, Call& call) {
  Body fields = call.fields();
  if (auto limits = fields.flag("rate_limits")) core.options.rateLimits = *limits ? RateLimits::On : RateLimits::Off;
  if (auto quota = fields.integer("quota_mb")) core.capacity.setQuota(*quota);
  if (const json::object* changes = fields.object("times_ms")) {
    for (const auto& [name, value] : *changes) {
      std::chrono::milliseconds* time = core.options.times.named(name);
      if (!time || !value.is_int64()) refuse(400, format("times_ms has no {}", std::string(name)));
      *time = std::chrono::milliseconds(value.get_int64());
    }
  }
  co_return emptyResponse(204);
}

}  // namespace

awaitable<Response> handleAdmin(Core& core, Call& call) {
  constexpr RequestBody kBody = required("emulator.request");
  static const std::vector<Route> kRoutes = {
      {"GET", "/emulator/state", "", showState},
      {"GET", "/emulator/faults", "", showFaults},
      {"POST", "/emulator/faults", "", addFault, Scope::Nothing, kBody},
      {"DELETE", "/emulator/faults", "", clearFaults},
      {"POST", "/emulator/machines/{id}/host", "", setHostStatus, Scope::Nothing, kBody},
      {"POST", "/emulator/machines/{id}/migrate", "", migrateMachine},
      {"PUT", "/emulator/regions/{code}/capacity", "", setCapacity, Scope::Nothing, kBody},
      {"PUT", "/emulator/settings", "", changeSettings, Scope::Nothing, kBody},
  };
  for (const Route& route : kRoutes) {
    if (route.method != call.method || !matchesPath(route.pattern, call.path, call.arguments)) continue;
    if (route.body.rule == RequestBody::Rule::Required) call.document = parseBody(call.body, kBody.goType);
    co_return co_await route.handler(core, call);
  }
  refuseBy("E5");
}

}  // namespace swarm::emulator
