// Builds the API's objects.
#include "emulator/api/machines/shapes.h"

#include <algorithm>
#include <boost/json/value_from.hpp>
#include <charconv>

#include "base/id.h"
#include "base/text/format.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

/// §3: off and stop are booleans in responses, for older clients.
void showAutostop(json::object& config) {
  json::value* services = config.if_contains("services");
  if (!services || !services->is_array()) return;
  for (json::value& entry : services->get_array()) {
    if (!entry.is_object()) continue;
    json::value* autostop = entry.get_object().if_contains("autostop");
    if (!autostop || !autostop->is_string()) continue;
    if (autostop->get_string() == "off")
      *autostop = false;
    else if (autostop->get_string() == "stop")
      *autostop = true;
  }
}

/// The fields that are known without the host. I: which those are.
json::object knownConfig(const json::object& config) {
  json::object known;
  for (std::string_view part : {"image", "guest", "metadata"}) {
    if (const json::value* value = config.if_contains(part)) known[part] = *value;
  }
  return known;
}

/// The stored configuration, with the defaults that Fly adds (§3's samples).
json::object shownConfig(const Core& core, const Machine& machine) {
  json::object config = machine.config;
  if (!config.contains("init")) config["init"] = json::object();
  if (!config.contains("dns")) config["dns"] = json::object();
  json::object guest = objectOf(config, "guest") ? *objectOf(config, "guest") : json::object();
  guest["cpu_kind"] = machine.guest.kind;
  guest["cpus"] = machine.guest.cpus;
  guest["memory_mb"] = machine.guest.memoryMb;
  config["guest"] = std::move(guest);
  if (!machine.volumeId.empty()) {
    if (json::value* mounts = config.if_contains("mounts"); mounts && mounts->is_array() && !mounts->get_array().empty()) {
      json::object& mount = mounts->get_array()[0].as_object();
      mount["volume"] = machine.volumeId;
      if (auto found = core.world.volumes.find(machine.volumeId); found != core.world.volumes.end()) {
        mount["name"] = found->second->name;
        mount["size_gb"] = found->second->sizeGb;
        mount["encrypted"] = found->second->encrypted;
      }
    }
  }
  showAutostop(config);
  return config;
}

void addCheck(json::array& checks, const Machine& machine, std::string name) {
  bool passing = machine.state == MachineState::started;
  checks.push_back(json::object{{"name", std::move(name)},
                                {"status", passing ? "passing" : "warning"},  // I: no check is actually made
                                {"output", ""},
                                {"updated_at", formatSeconds(machine.updatedAt)}});
}

json::array checksOf(const Machine& machine) {
  json::array checks;
  if (const json::object* named = objectOf(machine.config, "checks")) {
    for (const auto& [name, check] : *named) addCheck(checks, machine, std::string(name));
  }
  int service_number = 0;
  if (const json::array* services = arrayOf(machine.config, "services")) {
    for (const json::value& service : *services) {
      const json::array* list = service.is_object() ? arrayOf(service.get_object(), "checks") : nullptr;
      for (std::size_t index = 0; list && index < list->size(); ++index) {
        std::string type = (*list)[index].is_object() ? textOf((*list)[index].get_object(), "type") : "";
        addCheck(checks, machine,
                 format("servicecheck-{:02}-{}-{}", service_number, type, integerOf(service.get_object(), "internal_port").value_or(0)));
      }
      ++service_number;
    }
  }
  return checks;
}

json::object leaseToJson(const MachineLease& lease) {
  return {{"description", lease.description}, {"expires_at", unixSeconds(lease.expiresAt)}, {"owner", lease.owner}};
}

}  // namespace

json::object eventToJson(const MachineEvent& event) {
  json::object object{
      {"id", event.id}, {"type", event.type}, {"status", event.status}, {"source", event.source}, {"timestamp", event.timestampMs}};
  if (!event.request.empty()) object["request"] = event.request;
  return object;
}

json::object machineToJson(const Core& core, const Machine& machine, const MachineView& view) {
  const ImageReference& image = machine.image;
  bool reachable = isReachable(machine);
  json::object object{{"id", machine.id},
                      {"name", machine.name},
                      {"state", toString(machine.state)},
                      {"region", machine.region},
                      {"image_ref",
                       {{"registry", image.registry},
                        {"repository", image.repository},
                        {"tag", image.tag},
                        {"digest", image.digest},
                        {"labels", json::value_from(image.labels)}}},
                      {"instance_id", machine.version},
                      {"version", machine.version},
                      {"private_ip", machine.privateIp},
                      {"created_at", formatSeconds(machine.createdAt)},
                      {"updated_at", formatSeconds(machine.updatedAt)},
                      {"host_status", reachable ? "ok" : "unreachable"},
                      {"cordoned", machine.cordoned}};
  if (view.detail == Detail::Full) {
    object[reachable ? "config" : "incomplete_config"] = reachable ? shownConfig(core, machine) : knownConfig(shownConfig(core, machine));
    json::array events;
    for (auto event = machine.events.rbegin(); event != machine.events.rend(); ++event) events.push_back(eventToJson(*event));
    object["events"] = std::move(events);
    object["checks"] = checksOf(machine);
  }
  if (view.withLease && machine.lease && machine.lease->expiresAt > core.now()) object["lease"] = leaseToJson(*machine.lease);
  if (!view.nonce.empty()) object["nonce"] = view.nonce;
  return object;
}

json::object volumeToJson(const Core& core, const Volume& volume) {
  constexpr std::int64_t kBlock = 4096;
  std::int64_t bytes = volume.sizeGb * 1024 * 1024 * 1024;
  std::string machine = core.boundTo(volume);
  json::object object{{"id", volume.id},
                      {"name", volume.name},
                      {"state", volume.state},
                      {"size_gb", volume.sizeGb},
                      {"region", volume.region},
                      {"zone", volume.host ? volume.host->zone : ""},
                      {"encrypted", volume.encrypted},
                      {"fstype", volume.fstype},
                      {"attached_machine_id", nullptr},
                      {"attached_alloc_id", nullptr},
                      {"created_at", formatSeconds(volume.createdAt)},
                      {"blocks", bytes / kBlock},
                      {"block_size", kBlock},
                      {"blocks_free", bytes / kBlock},
                      {"blocks_avail", bytes / kBlock},
                      {"bytes_used", 0},
                      {"bytes_total", bytes},
                      {"snapshot_retention", volume.snapshotRetention},
                      {"auto_backup_enabled", volume.autoBackup},
                      {"host_status", !volume.host || volume.host->status == HostStatus::ok ? "ok" : "unreachable"},
                      {"type", "local"}};
  if (!machine.empty()) object["attached_machine_id"] = machine;
  return object;
}

json::object appToJson(const App& app) {
  std::int64_t machines = 0, volumes = 0;
  bool started = false;
  for (const auto& [number, machine] : app.machines) {
    machines += machine->state != MachineState::destroyed ? 1 : 0;
    started = started || machine->state == MachineState::started;
  }
  for (const auto& [number, volume] : app.volumes) volumes += volume->isGoing() ? 0 : 1;
  return {{"id", app.id},
          {"internal_numeric_id", app.number},
          {"name", app.name},
          {"organization", {{"internal_numeric_id", 1}, {"name", app.organization}, {"slug", app.organization}}},
          // I: which of the observed states an app has when.
          {"status", machines == 0 ? "pending"
                     : started     ? "deployed"
                                   : "suspended"},
          {"machine_count", machines},
          {"volume_count", volumes},
          {"network", app.network},
          {"network_cidr", networkCidr(app.organization, app.network)}};
}

json::object ipToJson(const IpAssignment& ip) {
  json::object object{{"ip", ip.ip},
                      {"region", ip.region.empty() && ip.type != "private_v6" ? "global" : ip.region},
                      {"service_name", ip.serviceName},
                      {"shared", ip.type == "shared_v4"},
                      {"egress", ip.type.starts_with("egress")},
                      {"created_at", formatSeconds(ip.createdAt)},
                      {"network", nullptr}};
  if (ip.type == "private_v6") object["network"] = {{"name", ip.network}, {"org_slug", ip.organization}};
  return object;
}

json::object snapshotToJson(const VolumeSnapshot& snapshot) {
  return {{"id", snapshot.id},
          {"created_at", formatSeconds(snapshot.createdAt)},
          {"digest", snapshot.digest},
          {"retention_days", snapshot.retentionDays},
          {"size", snapshot.sizeBytes},
          {"status", "created"},
          {"volume_size", snapshot.volumeSizeGb * 1024 * 1024 * 1024}};
}

json::object withSecretsVersion(const App& app, json::object object) {
  object["Version"] = app.secretsVersion;
  object["version"] = app.secretsVersion;
  return object;
}

std::string secretDigest(const AppSecret& secret) { return toHex(sha256(secret.value)).substr(0, 16); }

Page readPage(const Call& call, std::int64_t most) {
  Page page;
  if (auto limit = call.integer("limit", 1, most)) page.limit = *limit;
  auto cursor = call.parameter("cursor");
  if (!cursor) return page;
  if (page.limit == 0) refuse(400, "cursor requires limit");
  auto decoded = fromBase64Url(*cursor);
  auto [end, error] = decoded ? std::from_chars(decoded->data(), decoded->data() + decoded->size(), page.after)
                              : std::from_chars_result{nullptr, std::errc::invalid_argument};
  if (error != std::errc()) refuse(400, "invalid cursor");
  return page;
}

Response pageResponse(const json::array& list, std::optional<std::string> cursor) {
  Response response = jsonResponse(200, list);
  if (cursor) response.headers.push_back({"fly-next-cursor", std::move(*cursor)});
  return response;
}

bool isVisible(const Core& core, const Call& call, const Machine& machine) { return call.affinity || machine.visibleAt <= core.now(); }

bool isRemembered(const Core& core, const Machine& machine) {
  return machine.state != MachineState::destroyed || core.now() < machine.destroyedAt + core.options.times.destroyedVisible;
}

}  // namespace swarm::emulator
