// Configuration of the Fly.io provider ([flyio] and [common] of swarm.toml) and its factory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "provider/provider_setup.h"

namespace swarm {

/// The described members are the keys of [flyio]; README.md explains each.
struct FlyIOProviderConfig {
  bool tokenFromEnvironment = false;   ///< apiToken: FLY_API_TOKEN
  Secret apiToken;                     ///< as printed by `fly tokens create`, "FlyV1 " included; or an OAuth token
  std::filesystem::path apiTokenFile;  ///< alternative to apiToken: read again when it has changed; trailing line breaks are removed
  std::string organization = "personal";
  std::vector<std::string> regions;  ///< tried in this order; empty: defaultRegion, else the nearest region
  std::string defaultRegion;
  std::string apiBaseUrl = "https://api.machines.dev";
  std::string appUrl = "https://{app}.fly.dev";  ///< address of an app's services; the emulator: "http://{app}.fly.localhost:4281"
  std::filesystem::path caFile;     ///< PEM; the only trusted authorities for apiBaseUrl, appUrl and registries; empty: the system's
  std::string appPrefix = "swarm";  ///< prefix of app names, which share one namespace with all of Fly's customers
  std::string workspaceImage;       ///< where Fly can pull the workspace image; replaces `localWorkspaceImage`; empty: not pushed
  std::string localWorkspaceImage = "swarm-workspace:latest";
  std::vector<std::string> allowedImages{};  ///< patterns of the images that users may use beside the workspace image
  bool publicAddresses = true;  ///< shared IPv4 and IPv6 for each app; false: private address only, and the server must be on the 6PN
  std::map<std::string, std::string> tags;        ///< metadata of everything that is created
  std::int64_t maxInstancesPerUser = 0;           ///< reported only; 0: no limit
  bool isCandidate = false;                       ///< came in a request: responses of its endpoint are not passed on
  std::int64_t volumeSnapshotRetentionDays = 14;  ///< 1 to 60, for the daily snapshots that Fly takes of volumes
};
BOOST_DESCRIBE_STRUCT(FlyIOProviderConfig, (),
                      (apiToken, apiTokenFile, organization, regions, defaultRegion, apiBaseUrl, appUrl, caFile, appPrefix, workspaceImage,
                       publicAddresses, maxInstancesPerUser, volumeSnapshotRetentionDays))

/// `swarm_id` marks everything that is created, so that two swarms can share one organization. Throws Error(InvalidArgument) for a wrong
/// configuration (an unreadable file), never for an unreachable API.
ProviderPtr makeFlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock);

ProviderSetupPtr makeFlyIOSetup();

}  // namespace swarm
