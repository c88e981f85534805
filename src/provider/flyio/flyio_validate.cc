// Checks the configuration against Fly, one part after the other.
#include "base/text/format.h"
#include "provider/candidate.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/check/image_check.h"

namespace swarm::flyio {
namespace {

/// Runs one check; its error becomes the detail.
awaitable<ValidationCheck> check(std::string name, bool is_candidate, awaitable<std::string> work) {
  ValidationCheck result{std::move(name), false, {}};
  try {
    result.detail = co_await std::move(work);
    result.ok = true;
  } catch (const Error& error) {
    result.detail = failureDetail(error, is_candidate);
  }
  co_return result;
}

std::string joined(const std::vector<std::string>& words, std::string_view between = ", ") {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

awaitable<std::string> checkToken(MachinesClient& client, Deadline deadline) {
  std::vector<TokenInfo> infos = co_await client.tokens(deadline);
  if (infos.empty())
    throw Error(ErrorCode::PermissionDenied, "Fly does not recognize this token. Create one with `fly tokens create org`.");
  for (const TokenInfo& info : infos) {
    if (info.apps.empty()) continue;
    throw Error(ErrorCode::PermissionDenied, "The token is limited to some apps. Create one for the organization (fly tokens create org).");
  }
  const std::string& user = infos.front().user;
  co_return format("accepted by {}{}", client.baseUrl(), user.empty() ? "" : ", created by " + user);
}

awaitable<std::string> checkOrganization(MachinesClient& client, Deadline deadline) {
  const std::string& organization = client.organization();
  FlyCall call{.action = Action::ListApps,
               .id = organization,
               .target = format("/v1/apps?org_slug={}&limit=1", organization),
               .doing = format("list the apps of the organization {}", organization)};
  json::value answer = co_await client.call(std::move(call), deadline);
  co_return format("{} has {} apps", organization, integerAt(answer, "total_apps"));
}

/// Empty `regions` become the nearest.
awaitable<std::string> checkRegions(MachinesClient& client, std::vector<std::string>& regions, Deadline deadline) {
  RegionList known = co_await client.regions(deadline);
  if (regions.empty()) regions = {known.nearest};
  std::string paid;
  for (const std::string& code : regions) {
    auto row = std::find_if(known.regions.begin(), known.regions.end(), [&](const Region& region) { return region.code == code; });
    if (row == known.regions.end()) throw Error(ErrorCode::Unprocessable, format("Fly has no region \"{}\".", code));
    if (row->deprecated) throw Error(ErrorCode::Unprocessable, format("Fly is closing the region {}. Choose another.", code));
    if (row->requiresPaidPlan) paid += format("; {} needs a paid plan", code);
  }
  co_return joined(regions) + paid;
}

awaitable<std::string> checkRoom(MachinesClient& client, std::vector<std::string> regions, Deadline deadline) {
  Guest guest = roundUp({});
  std::vector<std::string> with_room = co_await client.regionsWithRoom(regions, toJson(guest), 10, deadline);
  if (with_room.empty()) {
    throw Error(ErrorCode::OutOfResources, format("None of {} has capacity or quota for a {}.", joined(regions), toString(guest)));
  }
  co_return format("{} has capacity for a {}", joined(with_room), toString(guest));
}

awaitable<std::string> checkWorkspaceImage(const FlyIOProviderConfig& config, std::shared_ptr<net::TlsContext> tls, Deadline deadline) {
  co_return co_await checkImage(imageAtFly("", config), config, std::move(tls), deadline);
}

}  // namespace

awaitable<std::vector<ValidationCheck>> FlyIOProvider::validate(Deadline deadline) {
  std::vector<std::string> regions = config_.regions;
  if (regions.empty() && !config_.defaultRegion.empty()) regions = {config_.defaultRegion};
  std::vector<ValidationCheck> checks;
  checks.push_back(co_await check("token", config_.isCandidate, checkToken(client_, deadline)));
  checks.push_back(co_await check("organization", config_.isCandidate, checkOrganization(client_, deadline)));
  checks.push_back(co_await check("regions", config_.isCandidate, checkRegions(client_, regions, deadline)));
  if (checks.back().ok) checks.push_back(co_await check("capacity", config_.isCandidate, checkRoom(client_, regions, deadline)));
  checks.push_back(co_await check("workspace image", config_.isCandidate, checkWorkspaceImage(config_, tls_, deadline)));
  co_return checks;
}

}  // namespace swarm::flyio
