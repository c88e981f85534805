// The API's calls that need only a target and a reader.
#include "base/text/format.h"
#include "net/http/http.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {
namespace {

constexpr std::int64_t kBytesPerGib = 1024LL * 1024 * 1024;

std::string inApp(std::string_view app, std::string_view rest) { return format("/v1/apps/{}{}", app, rest); }

/// How long a new thing may be unknown after it was created.
std::chrono::milliseconds patience(bool is_new, const Tuning& tuning) { return is_new ? tuning.lookFor : std::chrono::milliseconds(0); }

template <typename T, typename Read>
Page<T> readPage(const json::value& answer, std::string_view list, Read read) {
  Page<T> page;
  for (const json::value& item : arrayAt(answer, list)) page.items.push_back(read(item, stringAt(item, "app_name")));
  page.nextCursor = stringAt(answer, "next_cursor");
  page.lastUpdatedAt = stringAt(answer, "last_updated_at");
  for (const json::value& region : arrayAt(answer, "error_regions")) {
    if (region.is_string()) page.errorRegions.emplace_back(region.as_string());
  }
  return page;
}

}  // namespace

awaitable<std::optional<App>> MachinesClient::findApp(std::string app, Deadline deadline) {
  const std::string doing = format("look up the app {}", app);
  FlyReply reply = co_await send({.action = Action::GetApp, .id = app, .target = inApp(app, ""), .doing = doing}, deadline);
  if (reply.isAbsent()) co_return std::nullopt;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  co_return readApp(reply.json());
}

awaitable<std::vector<IpAddress>> MachinesClient::listIps(std::string app, Deadline deadline) {
  const std::string doing = "list the app's addresses";
  FlyReply reply = co_await send({.action = Action::ListIps, .id = app, .target = inApp(app, "/ip_assignments"), .doing = doing}, deadline);
  std::vector<IpAddress> found;
  if (reply.isAbsent()) co_return found;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  const json::value& answer = reply.json();
  for (const json::value& item : arrayAt(answer, "ips")) found.push_back({stringAt(item, "ip"), boolAt(item, "shared")});
  co_return found;
}

awaitable<std::vector<Machine>> MachinesClient::listMachines(std::string app, bool include_deleted, Deadline deadline) {
  const std::string doing = "list the app's Machines";
  std::string target = inApp(app, include_deleted ? "/machines?include_deleted=true" : "/machines");
  FlyReply reply = co_await send({.action = Action::ListMachines, .id = app, .target = target, .doing = doing}, deadline);
  std::vector<Machine> found;
  if (reply.isAbsent()) co_return found;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  const json::value& answer = reply.json();
  if (answer.is_null()) co_return found;  // how Go writes an empty list
  if (!answer.is_array()) throw Error(ErrorCode::UpstreamFailed, "Fly's response to the request to list the app's Machines is not a list.");
  for (const json::value& item : answer.as_array()) found.push_back(readMachine(item, app));
  co_return found;
}

awaitable<std::optional<Machine>> MachinesClient::findMachine(std::string app, std::string id, Deadline deadline, bool is_new) {
  const std::string doing = format("look up the Machine {}", id);
  FlyCall call{.action = Action::GetMachine, .id = id, .target = inApp(app, "/machines/" + id), .doing = doing};
  call.patienceForNew = patience(is_new, tuning_);
  FlyReply reply = co_await send(std::move(call), deadline);
  if (reply.isAbsent()) co_return std::nullopt;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  Machine machine = readMachine(reply.json(), app);
  if (machine.id.empty()) throw Error(ErrorCode::UpstreamFailed, format("Fly's response about the Machine {} does not contain it.", id));
  co_return machine;
}

awaitable<std::vector<Volume>> MachinesClient::listVolumes(std::string app, Deadline deadline) {
  const std::string doing = "list the app's volumes";
  FlyReply reply = co_await send({.action = Action::ListVolumes, .id = app, .target = inApp(app, "/volumes"), .doing = doing}, deadline);
  std::vector<Volume> found;
  if (reply.isAbsent()) co_return found;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  const json::value& answer = reply.json();
  if (answer.is_null()) co_return found;  // how Go writes an empty list
  if (!answer.is_array()) throw Error(ErrorCode::UpstreamFailed, "Fly's response to the request to list the app's volumes is not a list.");
  for (const json::value& item : answer.as_array()) {
    Volume volume = readVolume(item, app);
    if (!volume.isGone()) found.push_back(std::move(volume));
  }
  co_return found;
}

awaitable<std::vector<StoredSnapshot>> MachinesClient::listSnapshots(std::string app, std::string volume_id, Deadline deadline) {
  const std::string doing = "list the volume's snapshots";
  FlyCall call{
      .action = Action::ListSnapshots, .id = app, .target = inApp(app, format("/volumes/{}/snapshots", volume_id)), .doing = doing};
  FlyReply reply = co_await send(std::move(call), deadline);
  std::vector<StoredSnapshot> found;
  if (reply.isAbsent()) co_return found;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  const json::value& answer = reply.json();
  if (answer.is_null()) co_return found;  // how Go writes an empty list
  if (!answer.is_array())
    throw Error(ErrorCode::UpstreamFailed, "Fly's response to the request to list the volume's snapshots is not a list.");
  for (const json::value& item : answer.as_array()) {
    found.push_back({stringAt(item, "id"), stringAt(item, "status"), readTime(stringAt(item, "created_at")),
                     integerAt(item, "retention_days"), integerAt(item, "size"), integerAt(item, "volume_size")});
  }
  co_return found;
}

awaitable<std::optional<Volume>> MachinesClient::findVolume(std::string app, std::string id, Deadline deadline) {
  const std::string doing = format("look up the volume {}", id);
  FlyReply reply =
      co_await send({.action = Action::GetVolume, .id = app, .target = inApp(app, "/volumes/" + id), .doing = doing}, deadline);
  if (reply.isAbsent()) co_return std::nullopt;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  Volume volume = readVolume(reply.json(), app);
  if (volume.isGone()) co_return std::nullopt;
  co_return volume;
}

awaitable<MachinesClient::Waited> MachinesClient::wait(Machine machine, std::string states, std::chrono::seconds round, Deadline deadline) {
  const std::string doing = "wait for the Machine";
  FlyCall call{.action = Action::WaitMachine, .id = machine.id, .doing = doing};
  call.target = inApp(machine.app, format("/machines/{}/wait?state={}&timeout={}", machine.id, states, round.count()));
  if (!machine.version.empty()) call.target += "&version=" + machine.version;
  call.timeout = round + std::chrono::seconds(15);
  FlyReply reply = co_await send(std::move(call), deadline);
  if (reply.ok()) co_return Waited{true, false, stringAt(reply.json(), "state")};
  if (reply.isAbsent()) co_return Waited{false, true, {}};
  // Lost or timed out: the caller reads the Machine again.
  if (reply.status == 408 || reply.status == 0) co_return Waited{};
  throw failure(reply, doing);
}

awaitable<std::int64_t> MachinesClient::setSecrets(std::string app, json::object values, Deadline deadline) {
  FlyCall call{.action = Action::SetSecrets,
               .id = app,
               .method = "POST",
               .target = inApp(app, "/secrets"),
               .doing = "write the app's secrets",
               .body = json::object{{"values", std::move(values)}}};
  call.patienceForNew = tuning_.lookFor;
  json::value answer = co_await this->call(std::move(call), deadline);
  std::int64_t version = integerAt(answer, "version");
  co_return version != 0 ? version : integerAt(answer, "Version");
}

awaitable<std::optional<std::string>> MachinesClient::readSecret(std::string app, std::string name, Deadline deadline) {
  const std::string doing = format("read the app's {}", name);
  FlyCall call{.action = Action::GetSecret, .id = app, .target = inApp(app, format("/secrets/{}?show_secrets=true", name)), .doing = doing};
  FlyReply reply = co_await send(std::move(call), deadline);
  if (reply.isAbsent()) co_return std::nullopt;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  const json::value& answer = reply.json();
  if (!member(answer, "value")) co_return std::nullopt;
  co_return stringAt(answer, "value");
}

awaitable<void> MachinesClient::patchMetadata(std::string app, std::string id, json::object values, Deadline deadline) {
  FlyCall call{.action = Action::PatchMetadata,
               .id = id,
               .method = "PATCH",
               .target = inApp(app, format("/machines/{}/metadata", id)),
               .doing = "change the Machine's metadata",
               .body = json::object{{"metadata", std::move(values)}}};
  co_await this->call(std::move(call), deadline);
}

awaitable<Page<Machine>> MachinesClient::listOrgMachines(OrgQuery query, Deadline deadline) {
  std::string target = format("/v1/orgs/{}/machines?limit=1000", organization_);
  if (query.includeDeleted) target += "&include_deleted=true";
  if (!query.updatedAfter.empty()) target += "&updated_after=" + net::percentEncode(query.updatedAfter);
  if (!query.cursor.empty()) target += "&cursor=" + net::percentEncode(query.cursor);
  json::value answer = co_await call(
      {.action = Action::ListOrgMachines, .id = organization_, .target = std::move(target), .doing = "list the organization's Machines"},
      deadline);
  co_return readPage<Machine>(answer, "machines", readMachine);
}

awaitable<Page<Volume>> MachinesClient::listOrgVolumes(std::string cursor, Deadline deadline) {
  std::string target = format("/v1/orgs/{}/volumes?limit=1000", organization_);
  if (!cursor.empty()) target += "&cursor=" + net::percentEncode(cursor);
  json::value answer = co_await call(
      {.action = Action::ListOrgVolumes, .id = organization_, .target = std::move(target), .doing = "list the organization's volumes"},
      deadline);
  co_return readPage<Volume>(answer, "volumes", readVolume);
}

awaitable<RegionList> MachinesClient::regions(Deadline deadline) {
  json::value answer = co_await call(
      {.action = Action::Regions, .id = organization_, .target = "/v1/platform/regions", .doing = "list the regions"}, deadline);
  RegionList list;
  const char* key = member(answer, "regions") ? "regions" : "Regions";
  for (const json::value& item : arrayAt(answer, key)) {
    list.regions.push_back(
        {stringAt(item, "code"), stringAt(item, "name"), boolAt(item, "deprecated"), boolAt(item, "requires_paid_plan")});
  }
  list.nearest = stringAt(answer, member(answer, "nearest") ? "nearest" : "Nearest");
  co_return list;
}

awaitable<std::vector<std::string>> MachinesClient::regionsWithRoom(std::vector<std::string> regions, json::object guest,
                                                                    std::int64_t volume_gb, Deadline deadline) {
  std::string candidates;
  for (const std::string& region : regions) candidates += (candidates.empty() ? "" : ",") + region;
  json::object body{{"org_slug", organization_}, {"region", candidates}, {"compute", std::move(guest)}, {"count", 1}};
  if (volume_gb > 0) {
    body["volume_name"] = kVolumeName;
    body["volume_size_bytes"] = volume_gb * kBytesPerGib;
  }
  FlyCall call{.action = Action::Placements,
               .id = organization_,
               .method = "POST",
               .target = "/v1/platform/placements",
               .doing = "find capacity for a Machine",
               .body = std::move(body)};
  json::value answer = co_await this->call(std::move(call), deadline);
  std::vector<std::string> with_room;
  for (const json::value& row : arrayAt(answer, "regions")) {
    if (integerAt(row, "count") > 0) with_room.push_back(stringAt(row, "region"));
  }
  co_return with_room;
}

awaitable<std::vector<TokenInfo>> MachinesClient::tokens(Deadline deadline) {
  json::value answer =
      co_await call({.action = Action::Tokens, .id = organization_, .target = "/v1/tokens/current", .doing = "check the token"}, deadline);
  std::vector<TokenInfo> found;
  for (const json::value& item : arrayAt(answer, "tokens")) {
    TokenInfo info{stringAt(item, "org_slug"), stringAt(item, "user"), {}};
    for (const json::value& app : arrayAt(item, "apps")) {
      if (app.is_string()) info.apps.emplace_back(app.as_string());
    }
    found.push_back(std::move(info));
  }
  co_return found;
}

awaitable<MachinesClient::LogPage> MachinesClient::readLog(std::string app, std::string machine_id, std::string token, Deadline deadline) {
  const std::string doing = "read the Machine's log";
  std::string target = format("/api/v1/apps/{}/logs?next_token={}&instance={}", app, net::percentEncode(token), machine_id);
  FlyReply reply = co_await send({.action = Action::ReadLog, .id = app, .target = std::move(target), .doing = doing}, deadline);
  LogPage page{{}, std::move(token)};
  if (reply.isAbsent()) co_return page;
  if (!reply.ok() || reply.isCut()) throw failure(reply, doing);
  for (const json::value& item : arrayAt(reply.json(), "data")) {
    page.lines.push_back({readTime(stringAt(item, "attributes.timestamp")), stringAt(item, "attributes.message")});
  }
  if (std::string next = stringAt(reply.json(), "meta.next_token"); !next.empty()) page.nextToken = std::move(next);
  co_return page;
}

}  // namespace swarm::flyio
