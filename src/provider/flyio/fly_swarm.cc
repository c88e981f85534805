#include "provider/flyio/fly_swarm.h"

#include <fstream>
#include <sstream>

#include "base/text/format.h"
#include "provider/flyio/api/transport/fly_transport.h"
#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {
namespace {

/// The token of the configuration, or of its file. Throws Error(InvalidArgument) without the token in it.
Secret readToken(const FlyIOProviderConfig& config) {
  std::string token = config.apiToken.reveal();
  if (token.empty() && !config.apiTokenFile.empty()) {
    std::ifstream file(config.apiTokenFile);
    if (!file) throw Error(ErrorCode::InvalidArgument, format("[flyio] apiTokenFile {} cannot be read.", config.apiTokenFile.string()));
    std::stringstream text;
    text << file.rdbuf();
    token = text.str();
  }
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  if (token.empty()) {
    throw Error(ErrorCode::InvalidArgument,
                "The Fly.io provider needs a token: set apiToken or apiTokenFile of [flyio] (fly tokens create org prints one).");
  }
  for (char c : token) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') {
      throw Error(ErrorCode::InvalidArgument, "[flyio] apiToken contains a character that no token has, such as a line break.");
    }
  }
  return Secret(std::move(token));
}

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
  config.apiToken = readToken(config);
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
