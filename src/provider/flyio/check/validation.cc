// Checks the configuration against Fly, one part after the other: token, organization, regions, capacity and image.
#include <algorithm>

#include "async/attempt.h"
#include "base/text/format.h"
#include "provider/candidate.h"
#include "provider/flyio/check/image_check.h"
#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {
namespace {

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
  std::int64_t apps = co_await client.countApps(deadline);
  co_return format("{} has {} apps", client.organization(), apps);
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
  std::vector<std::string> with_room = co_await client.regionsWithRoom({regions, toJson(guest), std::string(kVolumeName), 10}, deadline);
  if (with_room.empty()) {
    throw Error(ErrorCode::OutOfResources, format("None of {} has capacity or quota for a {}.", joined(regions), toString(guest)));
  }
  co_return format("{} has capacity for a {}", joined(with_room), toString(guest));
}

awaitable<std::string> checkWorkspaceImage(const FlySwarm& swarm, Deadline deadline) {
  co_return co_await checkImage(imageAtFly("", swarm.config), swarm, deadline);
}

}  // namespace

awaitable<void> checkNewToken(MachinesClient& client, const FlySwarm& swarm, Secret token, Deadline deadline) {
  FlyToken candidate(Secret{});
  candidate.store(token, {});
  MachinesClient with_token(client.baseUrl(), candidate, client.organization(), client.tuning(), swarm.tls);
  auto checked = co_await async::attempt(checkToken(with_token, deadline));
  if (checked) checked = co_await async::attempt(checkOrganization(with_token, deadline));
  if (checked) co_return;
  const Error& error = checked.error();
  switch (error.code()) {
    case ErrorCode::Unavailable:
    case ErrorCode::DeadlineExceeded:
    case ErrorCode::UpstreamFailed:
    case ErrorCode::TooManyRequests:
      throw Error(ErrorCode::Unavailable, format("Fly's Machines API at {} could not check the token{}.", client.baseUrl(),
                                                 error.upstream().status == 0 ? "" : format(" (status {})", error.upstream().status)));
    default:
      break;
  }
  if (error.upstream().status == 0) throw Error(ErrorCode::Unprocessable, error.message()).withField("/token", "is refused");
  throw Error(
      ErrorCode::Unprocessable,
      format("Fly refused the token for the organization {} (status {}): it is wrong, expired or incomplete (\"FlyV1 \" is a part of "
             "it), or belongs to another organization. Create one with `fly tokens create org`.",
             client.organization(), error.upstream().status))
      .withField("/token", "is refused");
}

awaitable<std::vector<ValidationCheck>> validateConfiguration(MachinesClient& client, const FlySwarm& swarm, Deadline deadline) {
  bool is_candidate = swarm.config.isCandidate;
  std::vector<std::string> regions = swarm.config.regions;
  if (regions.empty() && !swarm.config.defaultRegion.empty()) regions = {swarm.config.defaultRegion};
  std::vector<ValidationCheck> checks;
  checks.push_back(co_await runCheck("token", is_candidate, checkToken(client, deadline)));
  checks.push_back(co_await runCheck("organization", is_candidate, checkOrganization(client, deadline)));
  checks.push_back(co_await runCheck("regions", is_candidate, checkRegions(client, regions, deadline)));
  if (checks.back().ok) checks.push_back(co_await runCheck("capacity", is_candidate, checkRoom(client, regions, deadline)));
  checks.push_back(co_await runCheck("workspace image", is_candidate, checkWorkspaceImage(swarm, deadline)));
  co_return checks;
}

}  // namespace swarm::flyio
