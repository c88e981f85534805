// Which Machine serves a port of an app (§9), by the services in the Machines' configurations.
#include <algorithm>

#include "emulator/rules/config/config_view.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

bool covers(const json::object& port, std::int64_t number) {
  if (auto single = integerOf(port, "port")) return *single == number;
  auto first = integerOf(port, "start_port"), last = integerOf(port, "end_port");
  return first && last && *first <= number && number <= *last;
}

template <typename Visit>
void visitPorts(const Machine& machine, Visit visit) {
  const json::array* services = arrayOf(machine.config, "services");
  if (!services) return;
  for (const json::value& service : *services) {
    const json::array* ports = service.is_object() ? arrayOf(service.get_object(), "ports") : nullptr;
    if (!ports) continue;
    for (const json::value& port : *ports) {
      if (port.is_object()) visit(service.get_object(), port.get_object());
    }
  }
}

/// The service that has the port; null: none.
const json::object* findService(const Machine& machine, std::int64_t number) {
  const json::object* found = nullptr;
  visitPorts(machine, [&](const json::object& service, const json::object& port) {
    if (!found && covers(port, number)) found = &service;
  });
  return found;
}

/// Whether the app is reachable: it has an address (§2: apps created by the API get none automatically).
bool hasAddress(const App& app) {
  return std::ranges::any_of(app.ips, [](const IpAssignment& ip) { return !ip.type.starts_with("egress"); });
}

MachinePtr findForced(const App& app, const std::string& id) {
  for (const auto& [number, machine] : app.machines) {
    if (machine->id == id && machine->state != State::destroyed) return machine;
  }
  return nullptr;
}

/// A running Machine that serves the port, the preferred one first; else one that the proxy may start.
MachinePtr choose(const App& app, const EdgeQuery& query) {
  MachinePtr running, startable;
  for (const auto& [number, machine] : app.machines) {
    const json::object* service = findService(*machine, query.externalPort);
    if (!service || machine->cordoned || !isReachable(*machine)) continue;
    if (machine->state == State::started) {
      if (machine->id == query.preferInstance) return machine;
      if (!running) running = machine;
    }
    bool can_start = machine->state == State::stopped || machine->state == State::suspended || machine->state == State::starting;
    if (!startable && can_start && flagOf(*service, "autostart")) startable = machine;
  }
  return running ? running : startable;
}

/// The proxy starts a stopped Machine if its service has autostart.
awaitable<bool> ensureStarted(Core& core, MachinePtr machine, bool autostart) {
  if (machine->state == State::started) co_return true;
  if (!autostart) co_return false;
  bool fits = machine->reserved || !machine->host || core.capacity.fits(*machine->host, machine->guest);
  if ((machine->state == State::stopped || machine->state == State::suspended) && fits) beginStart(core, machine);
  Deadline deadline = Deadline::after(std::chrono::seconds(60));
  while (machine->state == State::starting && !deadline.hasPassed()) co_await waitFor(machine->changed, deadline);
  co_return machine->state == State::started;
}

}  // namespace

awaitable<std::expected<EdgeTarget, EdgeRefusal>> Emulator::findEdgeTarget(EdgeQuery query) {
  Core& core = *core_;
  AppPtr app = core.world.findApp(query.app);
  if (!app || app->deleted) co_return std::unexpected(EdgeRefusal{404, "the app does not exist"});
  if (!hasAddress(*app)) co_return std::unexpected(EdgeRefusal{404, "the app has no IP address"});
  MachinePtr machine = query.forceInstance.empty() ? choose(*app, query) : findForced(*app, query.forceInstance);
  if (!machine) co_return std::unexpected(EdgeRefusal{503, "no machine serves this port"});
  const json::object* service = findService(*machine, query.externalPort);
  if (!service) co_return std::unexpected(EdgeRefusal{503, "the machine has no service on this port"});
  if (!isReachable(*machine)) co_return std::unexpected(EdgeRefusal{503, "the machine's host is unreachable"});
  if (!co_await ensureStarted(core, machine, flagOf(*service, "autostart"))) {
    co_return std::unexpected(EdgeRefusal{503, "the machine is not running"});
  }
  // The configuration may have changed while the Machine started.
  service = findService(*machine, query.externalPort);
  if (!service) co_return std::unexpected(EdgeRefusal{503, "the machine has no service on this port"});
  co_return EdgeTarget{machine->id, static_cast<std::uint16_t>(integerOf(*service, "internal_port").value_or(0))};
}

std::vector<EdgeService> Emulator::edgeServicesOf(const std::string& app_name) const {
  AppPtr app = core_->world.findApp(app_name);
  if (!app || app->deleted || !hasAddress(*app)) return {};
  std::map<std::pair<std::string, std::int64_t>, EdgeService> of_app;
  for (const auto& [number, machine] : app->machines) {
    if (machine->state == State::destroyed) continue;
    visitPorts(*machine, [&](const json::object& service, const json::object& port) {
      auto external = integerOf(port, "port");
      if (!external) return;
      std::string protocol = textOf(service, "protocol");
      of_app.try_emplace({protocol, *external},
                         EdgeService{app_name, static_cast<std::uint16_t>(*external), protocol, textsOf(port, "handlers")});
    });
  }
  std::vector<EdgeService> result;
  for (auto& [key, service] : of_app) result.push_back(std::move(service));
  return result;
}

std::vector<EdgeService> Emulator::edgeServices() const {
  std::vector<EdgeService> result;
  for (const auto& [name, app] : core_->world.apps) std::ranges::move(edgeServicesOf(name), std::back_inserter(result));
  return result;
}

}  // namespace swarm::emulator
