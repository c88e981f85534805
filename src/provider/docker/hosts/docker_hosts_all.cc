// Calls to all Engines, and the events of each; a result that lacks an unavailable Engine's part says so.
#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/hosts/docker_hosts.h"

namespace swarm::docker {
namespace {

bool isConnected(const ProviderHealthReport& report) { return report.status != ProviderHealth::unavailable; }

}  // namespace

awaitable<void> DockerHosts::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  for (auto& host : hosts_) {
    Host* of = host.get();
    co_await of->engine->open([this, of](const ProviderEvent& event) { onEvent(*of, event); });
  }
}

awaitable<void> DockerHosts::close() {
  for (auto& host : hosts_) co_await host->engine->close();
  sink_ = nullptr;
}

/// One Engine of several disconnects and reconnects: the others are still there. The listener marks all instances as unknown at
/// "disconnected", and inspects those of responding Engines at "reconnected"; the disconnected Engine's stay unknown, because lists are
/// incomplete until it returns.
void DockerHosts::onEvent(Host& host, const ProviderEvent& event) {
  if (!sink_) return;
  ProviderEvent reported = event;
  switch (event.kind) {
    case ProviderEvent::Kind::Changed:
    case ProviderEvent::Kind::OutOfMemory:
      remember(event.placeId, host);
      break;
    case ProviderEvent::Kind::Removed:
      if (auto home = homes_.find(event.placeId); home != homes_.end()) {
        if (home->second != &host) return;
        homes_.erase(home);
      }
      break;
    case ProviderEvent::Kind::Reconnected:
      host.connected = true;
      reported.detail = format("{}: {}", host.name, event.detail);
      break;
    case ProviderEvent::Kind::Disconnected: {
      host.connected = false;
      reported.detail = format("{}: {}", host.name, event.detail);
      sink_(reported);
      bool any = std::any_of(hosts_.begin(), hosts_.end(), [](const auto& one) { return one->connected; });
      if (any && sink_) sink_({ProviderEvent::Kind::Reconnected, {}, format("all Docker hosts but {}", host.name)});
      return;
    }
  }
  sink_(reported);
}

awaitable<InstanceList> DockerHosts::listInstances(InstanceFilter filter, Deadline deadline) {
  InstanceList all;
  std::optional<Error> first;
  std::size_t responses = 0;
  std::vector<Host*> order = availableFirst();
  for (Host* host : order) {
    auto list = co_await async::attempt(host->engine->listInstances(filter, patience(*host, deadline)));
    if (!list) {
      all.complete = false;
      if (!first) first = list.error();
      continue;
    }
    ++responses;
    all.complete = all.complete && list->complete;
    for (ProviderInstance& instance : list->instances) {
      remember(instance.placeId, *host);
      addHost(instance, *host);
      all.instances.push_back(std::move(instance));
    }
  }
  if (responses == 0) throw *first;
  co_return all;
}

bool DockerHosts::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  auto home = homes_.find(observed.placeId);
  return home != homes_.end() && home->second->engine->isImageOutdated(observed, image);
}

awaitable<std::vector<std::string>> DockerHosts::sweep(std::vector<Departure> gone, Deadline deadline) {
  std::vector<std::string> removed;
  for (auto& host : hosts_) {
    if (isUnavailable(*host)) continue;  // swept when it has returned
    std::vector<std::string> some = co_await host->engine->sweep(gone, deadline);
    for (std::string& one : some) removed.push_back(format("{} on {}", one, host->name));
  }
  co_return removed;
}

ProviderCapabilities DockerHosts::getProviderCapabilities() const {
  ProviderCapabilities all = hosts_.front()->engine->getProviderCapabilities();
  all.supportsMultiRegion = true;
  all.supportedRegions.clear();
  // What each of them has room for; a larger one provides more when it is requested by name.
  std::optional<ResourceConfig> max;
  for (const auto& host : hosts_) {
    all.supportedRegions.push_back(host->name);
    all.supportsLiveResize &= host->engine->getProviderCapabilities().supportsLiveResize;  // where one cannot, a restart is confirmed
    if (!isConnected(host->engine->health())) continue;
    ResourceConfig own = host->engine->getProviderCapabilities().maxResourcesPerInstance;
    if (!max) max = own;
    if (own.memory.max < max->memory.max) max->memory = own.memory;
    if (own.cpu.cores < max->cpu.cores) max->cpu = own.cpu;
  }
  if (max) all.maxResourcesPerInstance = *max;
  return all;
}

ProviderHealthReport DockerHosts::health() const {
  std::string available, unavailable;
  for (const auto& host : hosts_) {
    ProviderHealthReport report = host->engine->health();
    std::string& text = isConnected(report) ? available : unavailable;
    text += format("{}{}: {}", text.empty() ? "" : "; ", host->name, report.detail);
  }
  if (unavailable.empty()) return {ProviderHealth::healthy, available};
  return {available.empty() ? ProviderHealth::unavailable : ProviderHealth::degraded, unavailable};
}

awaitable<std::vector<ValidationCheck>> DockerHosts::validate(Deadline deadline) {
  std::vector<ValidationCheck> all;
  for (auto& host : hosts_) {
    std::vector<ValidationCheck> checks = co_await host->engine->validate(deadline);
    for (ValidationCheck& check : checks) {
      check.name = format("{}: {}", host->name, check.name);
      all.push_back(std::move(check));
    }
  }
  co_return all;
}

UsedTotal DockerHosts::cpuTotal() const {
  UsedTotal all;
  for (const auto& host : hosts_) all.total += host->engine->cpuTotal().total;
  return all;
}

UsedTotal DockerHosts::memoryTotal() const {
  UsedTotal all;
  for (const auto& host : hosts_) all.total += host->engine->memoryTotal().total;
  return all;
}

awaitable<std::vector<DockerHosts::HostVolumes>> DockerHosts::volumesOfAll(Deadline deadline) {
  std::vector<HostVolumes> all;
  std::vector<Host*> order = availableFirst();
  for (Host* host : order) {
    all.push_back({host, co_await async::attempt(host->engine->listVolumes(patience(*host, deadline)))});
  }
  co_return all;
}

/// A name that two Engines have is shown as "host:name", so that deleteVolume can distinguish them.
awaitable<std::vector<VolumeInfo>> DockerHosts::listVolumes(Deadline deadline) {
  std::vector<HostVolumes> responses = co_await volumesOfAll(deadline);
  std::map<std::string, int> counts;
  std::size_t failures = 0;
  for (const auto& [host, volumes] : responses) {
    if (!volumes) {
      ++failures;
      log::warning("a Docker host's volumes could not be listed", {{"host", host->name}, {"error", volumes.error().message()}});
      continue;
    }
    for (const VolumeInfo& volume : *volumes) ++counts[volume.name];
  }
  if (failures == responses.size()) throw responses.front().volumes.error();
  std::vector<VolumeInfo> all;
  for (auto& [host, volumes] : responses) {
    if (!volumes) continue;
    for (VolumeInfo& volume : *volumes) {
      if (counts[volume.name] > 1) volume.name = format("{}:{}", host->name, volume.name);
      all.push_back(std::move(volume));
    }
  }
  co_return all;
}

awaitable<void> DockerHosts::deleteVolume(std::string name, Deadline deadline) {
  if (auto colon = name.find(':'); colon != std::string::npos) {
    Host* host = named(name.substr(0, colon));
    if (!host)
      throw Error(ErrorCode::NotFound, format("There is no Docker host \"{}\" here; there are {}.", name.substr(0, colon), names()));
    co_await host->engine->deleteVolume(name.substr(colon + 1), deadline);
    co_return;
  }
  std::vector<HostVolumes> responses = co_await volumesOfAll(deadline);
  std::vector<Host*> having;
  std::string missing;
  for (const auto& [host, volumes] : responses) {
    if (!volumes) {
      missing += (missing.empty() ? "" : ", ") + host->name;
    } else if (std::ranges::find(*volumes, name, &VolumeInfo::name) != volumes->end()) {
      having.push_back(host);
    }
  }
  if (having.size() > 1) {
    throw Error(ErrorCode::Conflict,
                format("More than one Docker host has a volume {}: prepend the host's name ({}:{}).", name, having.front()->name, name));
  }
  if (!having.empty()) co_return co_await having.front()->engine->deleteVolume(std::move(name), deadline);
  if (missing.empty()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on any Docker host ({}).", name, names()));
  throw Error(ErrorCode::Unavailable, format("No volume {} was found, and these Docker hosts are unavailable now: {}.", name, missing));
}

}  // namespace swarm::docker
