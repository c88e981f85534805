// The organization's lists, the platform's regions and capacity, the token, and logs.
#include "net/http/http.h"
#include "provider/flyio/api/call_parts.h"
#include "provider/flyio/api/machines_client.h"

namespace swarm::flyio {
namespace {

constexpr std::int64_t kBytesPerGib = 1024LL * 1024 * 1024;

template <typename T, typename Read>
Page<T> readPage(const json::value& document, std::string_view list, Read read) {
  Page<T> page;
  for (const json::value& item : arrayAt(document, list)) page.items.push_back(read(item, stringAt(item, "app_name")));
  page.nextCursor = stringAt(document, "next_cursor");
  page.lastUpdatedAt = stringAt(document, "last_updated_at");
  page.errorRegions = textsAt(document, "error_regions");
  return page;
}

}  // namespace

awaitable<Page<Machine>> MachinesClient::listOrgMachines(OrgQuery query, Deadline deadline) {
  std::string target = format("/v1/orgs/{}/machines?limit=1000", organization_);
  if (query.includeDeleted) target += "&include_deleted=true";
  if (!query.updatedAfter.empty()) target += "&updated_after=" + net::percentEncode(query.updatedAfter);
  if (!query.cursor.empty()) target += "&cursor=" + net::percentEncode(query.cursor);
  json::value document = co_await transport_.call(
      {Action::ListOrgMachines, organization_, "GET", std::move(target), "list the organization's Machines"}, deadline);
  co_return readPage<Machine>(document, "machines", readMachine);
}

awaitable<Page<Volume>> MachinesClient::listOrgVolumes(std::string cursor, Deadline deadline) {
  std::string target = format("/v1/orgs/{}/volumes?limit=1000", organization_);
  if (!cursor.empty()) target += "&cursor=" + net::percentEncode(cursor);
  json::value document = co_await transport_.call(
      {Action::ListOrgVolumes, organization_, "GET", std::move(target), "list the organization's volumes"}, deadline);
  co_return readPage<Volume>(document, "volumes", readVolume);
}

awaitable<RegionList> MachinesClient::regions(Deadline deadline) {
  json::value document =
      co_await transport_.call({Action::Regions, organization_, "GET", "/v1/platform/regions", "list the regions"}, deadline);
  RegionList list;
  const char* key = member(document, "regions") ? "regions" : "Regions";
  for (const json::value& item : arrayAt(document, key)) {
    list.regions.push_back(
        {stringAt(item, "code"), stringAt(item, "name"), boolAt(item, "deprecated"), boolAt(item, "requires_paid_plan")});
  }
  list.nearest = stringAt(document, member(document, "nearest") ? "nearest" : "Nearest");
  co_return list;
}

awaitable<std::vector<std::string>> MachinesClient::regionsWithRoom(CapacityQuery query, Deadline deadline) {
  std::string candidates;
  for (const std::string& region : query.regions) candidates += (candidates.empty() ? "" : ",") + region;
  json::object body{{"org_slug", organization_}, {"region", candidates}, {"compute", std::move(query.guest)}, {"count", 1}};
  if (query.volumeGb > 0) {
    body["volume_name"] = query.volumeName;
    body["volume_size_bytes"] = query.volumeGb * kBytesPerGib;
  }
  json::value document = co_await transport_.call(
      {Action::Placements, organization_, "POST", "/v1/platform/placements", "find capacity for a Machine", std::move(body)}, deadline);
  std::vector<std::string> with_room;
  for (const json::value& row : arrayAt(document, "regions")) {
    if (integerAt(row, "count") > 0) with_room.push_back(stringAt(row, "region"));
  }
  co_return with_room;
}

awaitable<std::vector<TokenInfo>> MachinesClient::tokens(Deadline deadline) {
  json::value document =
      co_await transport_.call({Action::Tokens, organization_, "GET", "/v1/tokens/current", "check the token"}, deadline);
  std::vector<TokenInfo> found;
  for (const json::value& item : arrayAt(document, "tokens")) {
    found.push_back({stringAt(item, "org_slug"), stringAt(item, "user"), textsAt(item, "apps")});
  }
  co_return found;
}

awaitable<MachinesClient::LogPage> MachinesClient::readLog(std::string app, std::string machine_id, std::string token, Deadline deadline) {
  std::string target = format("/api/v1/apps/{}/logs?next_token={}&instance={}", app, net::percentEncode(token), machine_id);
  auto document = co_await transport_.find({Action::ReadLog, app, "GET", std::move(target), "read the Machine's log"}, deadline);
  LogPage page{{}, std::move(token)};
  if (!document) co_return page;
  for (const json::value& item : arrayAt(*document, "data")) {
    page.lines.push_back({timeAt(item, "attributes.timestamp"), stringAt(item, "attributes.message")});
  }
  if (std::string next = stringAt(*document, "meta.next_token"); !next.empty()) page.nextToken = std::move(next);
  co_return page;
}

}  // namespace swarm::flyio
