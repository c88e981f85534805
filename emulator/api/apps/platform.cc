// Regions, placements, the token, and the lists over a whole organization (§2).
#include <algorithm>

#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::int64_t kMaxPerListPage = 1000;
constexpr int kMaxPerRegion = 50;  // I: the number

void requireListedOrganization(const Call& call, std::string_view slug) {
  if (!call.token || call.token->organization != slug) refuseBy("E3");  // I: for another organization's list
}

bool isIn(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

/// Filters of both lists.
struct ListFilter {
  std::vector<std::string> regions, states;
  SystemTime updatedAfter{};
  bool includeDeleted = false;
  bool summary = false;
  std::int64_t limit = kMaxPerListPage;
  std::string cursor;  ///< "milliseconds id" of the last entry
};

ListFilter readListFilter(const Call& call) {
  ListFilter filter;
  filter.regions = call.parameterList("region");
  filter.states = call.parameterList("state");
  filter.includeDeleted = call.flag("include_deleted");
  filter.summary = call.flag("summary");
  filter.limit = call.integer("limit", 1, kMaxPerListPage).value_or(kMaxPerListPage);
  if (auto after = call.parameter("updated_after")) {
    try {
      filter.updatedAfter = parseTime(*after);
    } catch (const std::exception&) {
      refuse(400, "invalid updated_after");  // I: the wording
    }
  }
  filter.cursor = call.parameter("cursor").value_or("");
  return filter;
}

/// Sorts by updated_at, then by id.
template <typename Entry>
std::string orderKey(const Entry& entry) {
  std::string time = std::to_string(unixMilliseconds(entry.updatedAt));
  return std::string(15 - std::min<std::size_t>(15, time.size()), '0') + time + "-" + entry.id;
}

json::object overviewOf(const Machine& machine, const App& app, const ListFilter& filter) {
  json::object object{{"id", machine.id},
                      {"app_name", app.name},
                      {"name", machine.name},
                      {"region", machine.region},
                      {"state", toString(machine.state)},
                      {"version", machine.version},
                      {"private_ip", machine.privateIp},
                      {"created_at", formatSeconds(machine.createdAt)},
                      {"updated_at", formatTime(machine.updatedAt)}};
  if (filter.summary) return object;
  json::object config{{"image", textOf(machine.config, "image")},
                      {"guest", {{"cpu_kind", machine.guest.kind}, {"cpus", machine.guest.cpus}, {"memory_mb", machine.guest.memoryMb}}}};
  const json::object* metadata = objectOf(machine.config, "metadata");
  config["metadata"] = metadata ? *metadata : json::object();
  object["config"] = std::move(config);
  return object;
}

/// The page of `entries` after the cursor, in order; with next_cursor if there are more.
template <typename Entry>
std::vector<Entry> pageOf(std::vector<std::pair<std::string, Entry>>& entries, const ListFilter& filter, json::object& body) {
  std::ranges::sort(entries, {}, [](const auto& entry) { return std::string_view(entry.first); });
  auto first = std::ranges::upper_bound(entries, filter.cursor, {}, [](const auto& entry) { return entry.first; });
  std::vector<Entry> page;
  for (; first != entries.end(); ++first) {
    page.push_back(first->second);
    if (static_cast<std::int64_t>(page.size()) == filter.limit) {
      if (std::next(first) != entries.end()) body["next_cursor"] = first->first;
      break;
    }
  }
  return page;
}

/// Whether an object is in the organization's list; `is_deleted` and `state` are its own.
template <typename Entry>
bool isListed(const Call& call, const ListFilter& filter, const Entry& entry, bool is_deleted, std::string_view state) {
  AppPtr app = entry.app.lock();
  if (!app || app->organization != call.arguments[0] || (is_deleted && !filter.includeDeleted)) return false;
  bool is_lost = !call.fault.errorRegions.empty() && isIn(call.fault.errorRegions, entry.region);
  return !is_lost && isIn(filter.regions, entry.region) && isIn(filter.states, state) && entry.updatedAt > filter.updatedAfter;
}

json::array errorRegions(const Call& call) { return json::array(call.fault.errorRegions.begin(), call.fault.errorRegions.end()); }

awaitable<Response> listOrganizationMachines(Core& core, Call& call) {
  requireListedOrganization(call, call.arguments[0]);
  ListFilter filter = readListFilter(call);
  std::vector<std::pair<std::string, MachinePtr>> entries;
  for (const auto& [id, machine] : core.world.machines) {
    bool is_deleted = machine->state == MachineState::destroyed;
    if (!isListed(call, filter, *machine, is_deleted, toString(machine->state)) || !isVisible(core, call, *machine)) continue;
    entries.emplace_back(orderKey(*machine), machine);
  }
  json::object body;
  json::array list;
  for (const MachinePtr& machine : pageOf(entries, filter, body)) {
    list.push_back(overviewOf(*machine, *machine->app.lock(), filter));
    body["last_machine_id"] = machine->id;
    body["last_updated_at"] = formatTime(machine->updatedAt);
  }
  body["machines"] = std::move(list);
  body["error_regions"] = errorRegions(call);
  co_return jsonResponse(200, body);
}

awaitable<Response> listOrganizationVolumes(Core& core, Call& call) {
  requireListedOrganization(call, call.arguments[0]);
  ListFilter filter = readListFilter(call);
  std::vector<std::pair<std::string, VolumePtr>> entries;
  for (const auto& [id, volume] : core.world.volumes) {
    if (isListed(call, filter, *volume, volume->isGoing(), volume->state)) entries.emplace_back(orderKey(*volume), volume);
  }
  json::object body;
  json::array list;
  for (const VolumePtr& volume : pageOf(entries, filter, body)) {
    json::object object = volumeToJson(core, *volume);
    object["app_name"] = volume->app.lock()->name;
    object["updated_at"] = formatTime(volume->updatedAt);
    list.push_back(std::move(object));
    body["last_volume_id"] = volume->id;
    body["last_updated_at"] = formatTime(volume->updatedAt);
  }
  body["volumes"] = std::move(list);
  if (!call.fault.errorRegions.empty()) body["error_regions"] = errorRegions(call);
  co_return jsonResponse(200, body);
}

awaitable<Response> listRegions(Core& core, Call&) {
  json::array list;
  for (const RegionFacts& region : allRegions()) {
    if (!core.capacity.hasRegion(region.code)) continue;
    list.push_back(json::object{{"code", region.code},
                                {"name", region.name},
                                {"latitude", region.latitude},
                                {"longitude", region.longitude},
                                {"geo_region", region.geoRegion},
                                {"gateway_available", region.gateway},
                                {"requires_paid_plan", false},
                                {"deprecated", false},
                                {"mpg_available", false}});
  }
  co_return jsonResponse(200, json::object{{"regions", std::move(list)}, {"nearest", core.options.regions.front()}});
}

awaitable<Response> probePlacements(Core& core, Call& call) {
  Body fields = call.fields();
  std::string slug = fields.text("org_slug");
  if (slug.empty()) refuse(400, "org_slug is required");  // I: the wording
  requireListedOrganization(call, slug);
  const json::object* compute = fields.object("compute");
  GuestSize size = compute ? checkGuestObject(*compute) : GuestSize{};
  // Without a count: per region, the organization's maximum there.
  std::int64_t wanted = std::clamp<std::int64_t>(fields.integer("count").value_or(0), 0, 1000);
  std::string expression = fields.text("region");
  std::vector<std::string> regions = core.capacity.regionsOf(expression.empty() ? "any" : expression);
  if (regions.empty()) refuse(400, "invalid region");  // I: the wording
  json::array list;
  std::int64_t left = wanted;
  for (const std::string& region : regions) {
    int room = core.capacity.roomFor(region, size, wanted == 0 ? kMaxPerRegion : static_cast<int>(left));
    if (room == 0) continue;
    list.push_back(json::object{{"region", region}, {"count", room}, {"concurrency", room}});
    left -= room;
    if (wanted > 0 && left == 0) break;
  }
  if (list.empty()) refuseBy("E22");  // I: that an empty result is an error
  co_return jsonResponse(200, json::object{{"regions", std::move(list)}});
}

awaitable<Response> currentToken(Core&, Call& call) {
  json::object info{{"token_id", "emulated"}, {"apps", json::array()}};
  if (call.token) {
    info["org_slug"] = call.token->organization;
    info["organization"] = call.token->organization;
    info["user"] = call.token->user;
  }
  co_return jsonResponse(200, json::object{{"tokens", json::array{std::move(info)}}});
}

}  // namespace

std::vector<Route> platformRoutes() {
  return {
      {"GET", "/v1/orgs/{org}/machines", "org_machines", listOrganizationMachines, Scope::Nothing},
      {"GET", "/v1/orgs/{org}/volumes", "org_volumes", listOrganizationVolumes, Scope::Nothing},
      {"GET", "/v1/platform/regions", "regions", listRegions, Scope::Nothing},
      {"POST", "/v1/platform/placements", "placements", probePlacements, Scope::Nothing, required("main.getPlacementsRequest")},
      {"GET", "/v1/tokens/current", "token_current", currentToken, Scope::Nothing},
  };
}

}  // namespace swarm::emulator
