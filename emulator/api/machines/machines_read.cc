// Reading Machines, and waiting for them (§3, §5).
#include <algorithm>

#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::int64_t kMaxPerPage = 1000;
constexpr std::int64_t kMaxEvents = 50;
constexpr std::int64_t kDefaultEvents = 20;
constexpr std::int64_t kLongestWaitSeconds = 60;

struct MachineFilter {
  std::vector<std::string> regions, states;
  std::vector<std::pair<std::string, std::string>> metadata;
  bool includeDeleted = false;
};

MachineFilter readFilter(const Call& call) {
  constexpr std::string_view kPrefix = "metadata.";
  MachineFilter filter;
  filter.regions = call.parameterList("region");
  filter.states = call.parameterList("state");
  for (const std::string& state : filter.states) {
    if (!machineStateFrom(state)) refuse(400, "invalid state: " + state);  // I: that it is refused, and the wording
  }
  for (const auto& [name, value] : call.parameters) {
    if (name.starts_with(kPrefix)) filter.metadata.emplace_back(name.substr(kPrefix.size()), value);
  }
  filter.includeDeleted = call.flag("include_deleted");
  return filter;
}

bool passes(const Machine& machine, const MachineFilter& filter) {
  auto is_in = [](const std::vector<std::string>& list, std::string_view value) {
    return list.empty() || std::ranges::find(list, value) != list.end();
  };
  if (machine.state == MachineState::destroyed && !filter.includeDeleted) return false;
  if (!is_in(filter.regions, machine.region) || !is_in(filter.states, toString(machine.state))) return false;
  if (filter.metadata.empty()) return true;
  const json::object* metadata = objectOf(machine.config, "metadata");
  return metadata && std::ranges::all_of(filter.metadata, [&](const auto& wanted) {
           const json::value* value = metadata->if_contains(wanted.first);
           return value && value->is_string() && value->get_string() == wanted.second;
         });
}

/// An older version: its configuration, and always `replaced` (§4).
json::object oldVersion(const Core& core, const Machine& machine, const std::string& version) {
  auto found = std::ranges::find_if(machine.versions, [&](const MachineVersion& known) { return known.version == version; });
  if (found == machine.versions.end()) refuse(404, "machine version not found");  // I: the wording
  json::object object = machineToJson(core, machine);
  object["state"] = "replaced";
  object["instance_id"] = version;
  object["version"] = version;
  object["config"] = found->config;
  return object;
}

std::shared_ptr<StateWaiter> readWaiter(const Call& call) {
  auto waiter = std::make_shared<StateWaiter>();
  std::vector<std::string> names = call.parameterList("state");
  if (names.empty()) names = {"started"};
  for (const std::string& name : names) {
    if (name == "settled") {
      waiter->states.clear();
      break;
    }
    auto state = machineStateFrom(name);
    // The spec's list. I: the wording.
    static constexpr std::string_view kAllowed[] = {"started", "stopped", "suspended", "destroyed", "failed"};
    if (!state || std::ranges::find(kAllowed, name) == std::end(kAllowed))
      refuse(400, "invalid_argument: invalid wait state '" + name + "'");
    waiter->states.push_back(*state);
  }
  waiter->version = call.parameter("version").value_or(call.parameter("instance_id").value_or(""));
  waiter->afterEvent = call.parameter("from_event_id").value_or("");
  return waiter;
}

/// Plain seconds, as in §5. I: that a Go duration is accepted, too.
std::chrono::milliseconds readWaitTimeout(const Call& call) {
  auto text = call.parameter("timeout");
  if (!text || text->empty()) return std::chrono::seconds(kLongestWaitSeconds);
  auto timeout = parseGoDuration(*text);
  if (!timeout || *timeout < std::chrono::seconds(1) || *timeout > std::chrono::seconds(kLongestWaitSeconds)) refuseBy("E9");
  return *timeout;
}

std::string wantedText(const StateWaiter& waiter) {
  if (waiter.states.empty()) return "settled";
  std::string text;
  for (MachineState state : waiter.states) text += (text.empty() ? "" : ", ") + std::string(toString(state));
  return text;
}

awaitable<Response> listMachines(Core& core, Call& call) {
  MachineFilter filter = readFilter(call);
  Page page = readPage(call, kMaxPerPage);
  MachineView view{.detail = call.flag("summary") ? Detail::Summary : Detail::Full, .withLease = call.flag("include_leases")};
  json::array list;
  auto cursor = addPage(list, call.app->machines, page, [&](const Machine& machine) {
    bool is_listed = passes(machine, filter) && isVisible(core, call, machine);
    return is_listed ? std::optional(machineToJson(core, machine, view)) : std::nullopt;
  });
  co_return pageResponse(list, std::move(cursor));
}

awaitable<Response> getMachine(Core& core, Call& call) {
  if (!isRemembered(core, *call.machine)) refuseBy("E7");
  auto version = call.parameter("version");
  if (version && !version->empty() && *version != call.machine->version)
    co_return jsonResponse(200, oldVersion(core, *call.machine, *version));
  co_return jsonResponse(200, machineToJson(core, *call.machine, {.withLease = call.flag("include_leases")}));
}

awaitable<Response> listEvents(Core&, Call& call) {
  std::int64_t limit = call.integer("limit", 1, kMaxEvents).value_or(kDefaultEvents);
  json::array list;
  const auto& events = call.machine->events;
  for (auto event = events.rbegin(); event != events.rend() && static_cast<std::int64_t>(list.size()) < limit; ++event) {
    list.push_back(eventToJson(*event));
  }
  co_return jsonResponse(200, list);
}

awaitable<Response> listVersions(Core&, Call& call) {
  json::array list;
  const auto& versions = call.machine->versions;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    list.push_back(json::object{{"version", version->version}, {"user_config", version->config}});
  }
  co_return jsonResponse(200, list);
}

awaitable<Response> waitForMachine(Core&, Call& call) {
  MachinePtr machine = call.machine;
  std::shared_ptr<StateWaiter> waiter = readWaiter(call);
  Deadline deadline = Deadline::after(readWaitTimeout(call));
  bool known = waiter->version.empty() ||
               std::ranges::any_of(machine->versions, [&](const MachineVersion& version) { return version.version == waiter->version; });
  if (!known) refuse(404, "not_found: machine version not found");  // I: status and wording
  waiter->response = waitResponse(*machine, *waiter);
  if (!waiter->response) {
    machine->waiters.push_back(waiter);
    while (!waiter->response && !deadline.hasPassed()) {
      if (!co_await waitFor(waiter->done, deadline)) break;
    }
    std::erase(machine->waiters, waiter);
  }
  if (waiter->response) co_return jsonResponse(200, *waiter->response);
  // I: that a wait for an older version ends so.
  bool old = !waiter->version.empty() && waiter->version != machine->version;
  refuseBy("E8", {{"wanted", wantedText(*waiter)}, {"state", old ? "replaced" : std::string(toString(machine->state))}});
}

}  // namespace

std::vector<Route> machineReadRoutes() {
  return {
      {"GET", "/machines", "machine_list", listMachines},
      {"GET", "", "machine_get", getMachine, Scope::Machine, {}, LeaseGate::Open, Limit::GetMachine},
      {"GET", "/wait", "machine_wait", waitForMachine, Scope::Machine},
      {"GET", "/events", "machine_events", listEvents, Scope::Machine},
      {"GET", "/versions", "machine_versions", listVersions, Scope::Machine},
  };
}

}  // namespace swarm::emulator
