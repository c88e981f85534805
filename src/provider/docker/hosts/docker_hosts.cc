// Calls about one instance: they find its Engine, whose provider performs them.
#include "provider/docker/hosts/docker_hosts.h"

#include <set>

#include "async/attempt.h"
#include "base/text/format.h"

namespace swarm {

ProviderPtr makeDockerProvider(std::vector<DockerProviderConfig> engines, std::string swarm_id) {
  if (engines.empty()) throw Error(ErrorCode::InvalidArgument, "A Docker provider needs an Engine.");
  if (engines.size() == 1) return makeDockerProvider(std::move(engines.front()), std::move(swarm_id));
  if (swarm_id.empty()) throw Error(ErrorCode::InvalidArgument, "A Docker provider needs the swarm's id.");
  std::set<std::string> seen;
  for (DockerProviderConfig& engine : engines) {
    if (engine.name.empty()) engine.name = docker::kUnnamedHost;
    engine = docker::completed(std::move(engine));
    if (!seen.insert(engine.name).second) {
      throw Error(ErrorCode::InvalidArgument, format("Two Docker hosts have the name \"{}\": give [docker] another name.", engine.name));
    }
  }
  return std::make_unique<docker::DockerHosts>(std::move(engines), std::move(swarm_id));
}

}  // namespace swarm

namespace swarm::docker {
namespace {

/// How long an Engine that was unavailable a moment ago may take to return; the others' responses wait for it.
constexpr std::chrono::seconds kReturnPatience{3};

}  // namespace

DockerHosts::DockerHosts(std::vector<DockerProviderConfig> engines, std::string swarm_id) {
  for (DockerProviderConfig& config : engines) {
    auto host = std::make_unique<Host>();
    host->name = config.name;
    host->engine = std::make_unique<DockerProvider>(std::move(config), swarm_id);
    hosts_.push_back(std::move(host));
  }
}

DockerHosts::~DockerHosts() = default;

DockerHosts::Host* DockerHosts::named(std::string_view name) const {
  for (const auto& host : hosts_) {
    if (host->name == name) return host.get();
  }
  return nullptr;
}

DockerHosts::Host* DockerHosts::homeOf(const PlaceId& place_id, const std::vector<ExternalResource>& external) {
  if (auto known = homes_.find(place_id); known != homes_.end()) return known->second;
  auto recorded = std::ranges::find(external, ResourceKind::host, &ExternalResource::kind);
  return recorded == external.end() ? nullptr : named(recorded->id);
}

std::string DockerHosts::names() const {
  std::string text;
  for (const auto& host : hosts_) text += (text.empty() ? "" : ", ") + host->name;
  return text;
}

DockerHosts::Host& DockerHosts::requested(const InstanceConfig& config) const {
  const std::string name = hostOf(config.network);
  if (name.empty()) return *hosts_.front();
  if (Host* host = named(name)) return *host;
  std::string message = format("There is no Docker host \"{}\" here; there are {}.", name, names());
  throw Error(ErrorCode::Unprocessable, message).withField("/network/regions", message);
}

std::vector<DockerHosts::Host*> DockerHosts::availableFirst() {
  std::vector<Host*> order, away;
  for (auto& host : hosts_) (isUnavailable(*host) ? away : order).push_back(host.get());
  order.insert(order.end(), away.begin(), away.end());
  return order;
}

Deadline DockerHosts::patience(const Host& host, Deadline deadline) const {
  return isUnavailable(host) ? deadline.orAfter(kReturnPatience) : deadline;
}

awaitable<DockerHosts::Host*> DockerHosts::find(PlaceId place_id, Deadline deadline) {
  if (auto known = homes_.find(place_id); known != homes_.end()) co_return known->second;
  std::string failures;
  std::vector<Host*> order = availableFirst();
  for (Host* host : order) {
    auto found = co_await async::attempt(host->engine->getInstance(place_id, patience(*host, deadline)));
    if (!found) {
      failures += format("{}{}: {}", failures.empty() ? "" : " ", host->name, found.error().message());
    } else if (*found) {
      remember(place_id, *host);
      co_return host;
    }
  }
  if (failures.empty()) co_return nullptr;
  throw Error(ErrorCode::Unavailable, format("Not every Docker host could be searched for the workspace. {}", failures))
      .withInstance(place_id.str());
}

awaitable<DockerHosts::Host*> DockerHosts::require(PlaceId place_id, Deadline deadline) {
  Host* host = co_await find(place_id, deadline);
  if (!host) {
    throw Error(ErrorCode::NotFound, format("No Docker host ({}) has a container of workspace {}.", names(), place_id))
        .withInstance(place_id.str());
  }
  co_return host;
}

void DockerHosts::addHost(ProviderInstance& instance, const Host& host) const {
  instance.external.push_back({ResourceKind::host, host.name});
}

/// A changed configuration does not move an instance.
void DockerHosts::checkStays(const NetworkConfig& network, const Host& host) const {
  const std::string name = hostOf(network);
  if (name.empty() || name == host.name) return;
  throw Error(ErrorCode::Unprocessable, format("The workspace is on the Docker host {}, and another configuration does not move it to {}. "
                                               "swarm migrate does (--to docker --region {}).",
                                               host.name, name, name))
      .withField("/network/regions", "cannot be changed in place");
}

void DockerHosts::checkRequest(const InstanceSpec& spec) const { requested(spec.config).engine->checkRequest(spec); }

awaitable<ProviderInstance> DockerHosts::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  Host& host = requested(spec.config);
  remember(spec.placeId, host);
  co_await progress.recorded({ResourceKind::host, host.name});
  ProviderInstance made = co_await host.engine->createInstance(std::move(spec), progress, deadline);
  addHost(made, host);
  co_return made;
}

awaitable<PlacementPreview> DockerHosts::previewInstance(InstanceSpec spec, Deadline deadline) {
  Host* host = nullptr;
  PlacementPreview impossible;
  collectProblem(impossible, [&] { host = &requested(spec.config); });
  if (host) co_return co_await host->engine->previewInstance(std::move(spec), deadline);
  impossible.resources = spec.config.resources;
  impossible.image = spec.config.image;
  impossible.imageDetail = impossible.problems.front();
  co_return impossible;
}

awaitable<std::optional<std::vector<LostVolume>>> DockerHosts::findLostVolumes(InstanceSpec spec, Deadline deadline) {
  Host* home = homeOf(spec.placeId, spec.known);
  if (!home) co_return std::nullopt;
  co_return co_await home->engine->findLostVolumes(std::move(spec), deadline);
}

awaitable<void> DockerHosts::deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                            Progress& progress, Deadline deadline) {
  if (Host* home = homeOf(place_id, external)) {
    co_await home->engine->deleteInstance(place_id, volumes, std::move(external), progress, deadline);
    homes_.erase(place_id);
    co_return;
  }
  // The place is unknown: labels show it on each Engine. Names of volumes do not count there, another instance's volume may have the same.
  std::erase_if(external, [](const ExternalResource& resource) { return resource.kind == ResourceKind::volume; });
  std::optional<Error> trouble;
  std::vector<Host*> order = availableFirst();
  for (Host* host : order) {
    auto deleted = co_await async::attempt(host->engine->deleteInstance(place_id, volumes, external, progress, patience(*host, deadline)));
    if (deleted) continue;
    ErrorCode code = deleted.error().code();
    trouble = Error(code == ErrorCode::DeadlineExceeded ? ErrorCode::Unavailable : code,
                    format("The Docker host {} may have something of the workspace. {}", host->name, deleted.error().message()))
                  .withInstance(place_id.str());
  }
  if (trouble) throw *trouble;
}

/// A create records its host before anything else: where none is recorded, none was begun.
awaitable<void> DockerHosts::settle(InstanceSpec spec, Deadline deadline) {
  Host* home = homeOf(spec.placeId, spec.known);
  if (home) co_await home->engine->settle(std::move(spec), deadline);
}

awaitable<std::optional<ProviderInstance>> DockerHosts::getInstance(PlaceId place_id, Deadline deadline) {
  Host* host = co_await find(place_id, deadline);
  if (!host) co_return std::nullopt;
  auto found = co_await host->engine->getInstance(place_id, deadline);
  if (found) addHost(*found, *host);
  co_return found;
}

awaitable<AllocationEffect> DockerHosts::configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  Host* host = co_await require(place_id, deadline);
  checkStays(network, *host);
  co_return co_await host->engine->configureNetwork(std::move(place_id), std::move(network), deadline);
}

awaitable<ProviderInstance> DockerHosts::replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  Host* host = co_await require(spec.placeId, deadline);
  checkStays(spec.config.network, *host);
  ProviderInstance made = co_await host->engine->replaceInstance(std::move(spec), progress, deadline);
  addHost(made, *host);
  co_return made;
}

EgressPolicy DockerHosts::policyFor(const NetworkConfig& network) const {
  const Host* host = named(hostOf(network));
  return (host ? *host : *hosts_.front()).engine->egress()->policyFor(network);
}

awaitable<EgressRules> DockerHosts::setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  Host* host = co_await require(place_id, deadline);
  co_return co_await host->engine->egress()->setRules(std::move(place_id), std::move(network), deadline);
}

awaitable<std::int64_t> DockerHosts::countDenied(PlaceId place_id, Deadline deadline) {
  Host* host = co_await require(place_id, deadline);
  co_return co_await host->engine->egress()->countDenied(std::move(place_id), deadline);
}

awaitable<std::unique_ptr<LogSource::Reader>> DockerHosts::openLogs(PlaceId place_id, Options options, Deadline deadline) {
  Host* host = co_await require(place_id, deadline);
  co_return co_await host->engine->logs()->openLogs(std::move(place_id), options, deadline);
}

}  // namespace swarm::docker
