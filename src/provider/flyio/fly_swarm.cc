#include "provider/flyio/fly_swarm.h"

#include "base/text/format.h"
#include "provider/flyio/api/transport/fly_transport.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {
namespace {

bool isSlug(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string_view::npos;
}

FlyIOProviderConfig checked(FlyIOProviderConfig config, const std::string& swarm_id) {
  if (swarm_id.empty()) throw Error(ErrorCode::InvalidArgument, "A Fly.io provider needs the swarm's id.");
  if (!isSlug(config.organization))
    throw Error(ErrorCode::InvalidArgument, format("[flyio] organization \"{}\" is not a slug of an organization.", config.organization));
  for (const std::string& region : config.regions) {
    if (!isSlug(region))
      throw Error(ErrorCode::InvalidArgument, format("[flyio] regions: \"{}\" is not the code of a region, such as ams.", region));
  }
  serverUrl(appUrl(config, "app"), "appUrl");
  if (config.volumeSnapshotRetentionDays < 1 || config.volumeSnapshotRetentionDays > 60) {
    throw Error(ErrorCode::InvalidArgument, "[flyio] volumeSnapshotRetentionDays must be 1 to 60.");
  }
  return config;
}

/// One set of authorities for all connections: reading the system's takes longer than a request.
std::shared_ptr<net::TlsContext> trustedAuthorities(const FlyIOProviderConfig& config) {
  bool speaks_tls = config.apiBaseUrl.starts_with("https://") || config.appUrl.starts_with("https://");
  return speaks_tls || !config.caFile.empty() ? net::makeTlsClient({.ca = config.caFile}) : nullptr;
}

}  // namespace

FlySwarm::FlySwarm(FlyIOProviderConfig configuration, std::string swarm_id)
    : config(checked(std::move(configuration), swarm_id)),
      id(std::move(swarm_id)),
      appPrefix(appNamePrefix(config, id)),
      token(config.apiToken, config.apiTokenFile, config.tokenFromEnvironment ? TokenSource::environment : TokenSource::configuration),
      tls(trustedAuthorities(config)) {}

bool FlySwarm::owns(const Machine& machine) const { return owns(machine.app) && machine.metadata(kMetaSwarm) == id; }

std::string FlySwarm::appOf(const PlaceId& place_id) const { return appName(config, id, place_id); }

std::string FlySwarm::appOf(const PlaceId& place_id, const std::vector<ExternalResource>& recorded) const {
  for (const ExternalResource& resource : recorded) {
    if (resource.kind == ResourceKind::app && owns(resource.id)) return resource.id;
  }
  return appOf(place_id);
}

}  // namespace swarm::flyio
