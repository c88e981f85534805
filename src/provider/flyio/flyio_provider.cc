// Construction, health and capabilities.
#include "provider/flyio/flyio_provider.h"

#include <fstream>
#include <sstream>

#include "base/text/format.h"

namespace swarm {
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

}  // namespace

ProviderPtr makeFlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock) {
  return std::make_unique<flyio::FlyIOProvider>(std::move(config), std::move(swarm_id), clock);
}

}  // namespace swarm

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
  serverUrl(appUrl(config, "app", false), "appUrl");
  if (config.volumeSnapshotRetentionDays < 1 || config.volumeSnapshotRetentionDays > 60) {
    throw Error(ErrorCode::InvalidArgument, "[flyio] volumeSnapshotRetentionDays must be 1 to 60.");
  }
  config.apiToken = readToken(config);
  return config;
}

/// One set of authorities for all connections: reading the system's takes longer than a request.
std::shared_ptr<net::TlsContext> trust(const FlyIOProviderConfig& config) {
  bool speaks_tls = config.apiBaseUrl.starts_with("https://") || config.appUrl.starts_with("https://");
  return speaks_tls || !config.caFile.empty() ? net::makeTlsClient({.ca = config.caFile}) : nullptr;
}

}  // namespace

FlyIOProvider::FlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning)
    : config_(checked(std::move(config), swarm_id)),
      swarm_id_(std::move(swarm_id)),
      clock_(clock),
      app_prefix_(appNamePrefix(config_, swarm_id_)),
      tls_(trust(config_)),
      client_(config_.apiBaseUrl, config_.apiToken, config_.organization, tuning, tls_),
      web_(webUrl(config_.apiBaseUrl), config_.apiToken, config_.organization, tuning, tls_) {}

FlyIOProvider::~FlyIOProvider() = default;

ProviderCapabilities FlyIOProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = false;
  capabilities.supportsSnapshotting = true;
  capabilities.supportsMultiRegion = true;
  for (const Region& region : regions_.regions) {
    if (!region.deprecated) capabilities.supportedRegions.push_back(region.code);
  }
  capabilities.maxInstancesPerUser = config_.maxInstancesPerUser;
  capabilities.maxResourcesPerInstance = effectiveOn(kLargestGuest, {});
  capabilities.maxResourcesPerInstance.storage.size = kLargestVolumeGb;
  return capabilities;
}

ProviderHealthReport FlyIOProvider::health() const {
  if (connected_ && partial_) return {ProviderHealth::degraded, "Fly could not list the Machines of all regions"};
  if (connected_)
    return {ProviderHealth::healthy, format("Fly's Machines API at {}, organization {}", client_.baseUrl(), client_.organization())};
  return {ProviderHealth::unavailable, trouble_.empty() ? format("not connected to {} yet", client_.baseUrl()) : trouble_};
}

awaitable<RegionList> FlyIOProvider::knownRegions(Deadline deadline) {
  if (!regions_.regions.empty()) co_return regions_;
  // Concurrent creates share one request.
  async::KeyedLock::Guard guard = co_await locks_.acquire("regions", deadline);
  if (regions_.regions.empty()) regions_ = co_await client_.regions(deadline);
  co_return regions_;
}

}  // namespace swarm::flyio
