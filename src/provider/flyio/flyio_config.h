// What a person configures about the Fly.io provider ([flyio] and [common] of swarm.toml), apart from the implementation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "provider/provider.h"

namespace swarm {

/// README.md tells what each key means for the person who sets it.
struct FlyIOProviderConfig {
  Secret apiToken;                     ///< as `fly tokens create` prints it, "FlyV1 " included; or an OAuth token
  std::filesystem::path apiTokenFile;  ///< instead: read at each start; its trailing line break is cut
  std::string organization = "personal";
  std::vector<std::string> regions;  ///< tried in this order; empty: defaultRegion alone, else the nearest that Fly names
  std::string defaultRegion;
  std::string apiBaseUrl = "https://api.machines.dev";
  std::string appUrl = "https://{app}.fly.dev";  ///< where an app's services answer; the emulator: "http://{app}.fly.localhost:4281"
  std::filesystem::path caFile;     ///< PEM; the only authorities to trust at apiBaseUrl, appUrl and registries; empty: the system's
  std::string appPrefix = "swarm";  ///< app names begin with it; they share one namespace with all of Fly's customers
  std::string workspaceImage;       ///< the workspace image where Fly can pull it; stands for `localWorkspaceImage`; empty: none was pushed
  std::string localWorkspaceImage = "swarm-workspace:latest";
  bool publicAddresses = true;              ///< shared IPv4 and IPv6 for each app; false: private only, and the server must be on the 6PN
  std::map<std::string, std::string> tags;  ///< metadata on all that is made
  std::int64_t maxInstancesPerUser = 0;     ///< reported only; 0: none
  bool isCandidate = false;                 ///< came in a request: what its endpoint answers is not passed on
  std::int64_t volumeSnapshotRetentionDays = 14;  ///< 1 to 60, of the snapshot that Fly takes of each volume every day
};

/// `swarm_id` marks everything that is made, so that two swarms can share one organization. Throws Error(InvalidArgument) for a wrong
/// configuration (no token, an unreadable file), never for an API that can't be reached.
ProviderPtr makeFlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock);

}  // namespace swarm
