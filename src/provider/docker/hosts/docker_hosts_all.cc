// Questions to all Engines at once, and the events of each: what one that is away leaves out is said.
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

/// One Engine of several comes and goes: the others are still there. Whoever listens marks all as unknown at "disconnected", and looks at
/// those that answer at "reconnected"; what lives on the absent Engine stays unknown, because lists are incomplete until it is back.
void DockerHosts::onEvent(Host& host, const ProviderEvent& event) {
  if (!sink_) return;
  ProviderEvent told = event;
  switch (event.kind) {
    case ProviderEvent::Kind::Changed:
    case ProviderEvent::Kind::OutOfMemory:
      remember(event.instanceId, host);
      break;
    case ProviderEvent::Kind::Removed:
      if (auto home = homes_.find(event.instanceId); home != homes_.end()) {
        if (home->second != &host) return;
        homes_.erase(home);
      }
      break;
    case ProviderEvent::Kind::Reconnected:
      host.connected = true;
      told.detail = format("{}: {}", host.name, event.detail);
      break;
    case ProviderEvent::Kind::Disconnected: {
      host.connected = false;
      told.detail = format("{}: {}", host.name, event.detail);
      sink_(told);
      bool any = std::any_of(hosts_.begin(), hosts_.end(), [](const auto& one) { return one->connected; });
      if (any && sink_) sink_({ProviderEvent::Kind::Reconnected, "", format("all Docker hosts but {}", host.name)});
      return;
    }
  }
  sink_(told);
}

awaitable<InstanceList> DockerHosts::listInstances(InstanceFilter filter, Deadline deadline) {
  InstanceList all;
  std::optional<Error> first;
  std::size_t answers = 0;
  std::vector<Host*> order = answeringFirst();
  for (Host* host : order) {
    InstanceList list;
    std::optional<Error> failure;
    try {
      list = co_await host->engine->listInstances(filter, patience(*host, deadline));
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      all.complete = false;
      if (!first) first = failure;
      continue;
    }
    ++answers;
    all.complete = all.complete && list.complete;
    for (ProviderInstance& instance : list.instances) {
      remember(instance.instanceId, *host);
      addHost(instance, *host);
      all.instances.push_back(std::move(instance));
    }
  }
  if (answers == 0) throw *first;
  co_return all;
}

bool DockerHosts::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  auto home = homes_.find(observed.instanceId);
  return home != homes_.end() && home->second->engine->isImageOutdated(observed, image);
}

awaitable<std::vector<std::string>> DockerHosts::sweep(std::vector<Departure> gone, Deadline deadline) {
  std::vector<std::string> removed;
  for (auto& host : hosts_) {
    if (isAway(*host)) continue;  // the next sweep finds it back
    std::vector<std::string> some = co_await host->engine->sweep(gone, deadline);
    for (std::string& one : some) removed.push_back(format("{} on {}", one, host->name));
  }
  co_return removed;
}

ProviderCapabilities DockerHosts::getProviderCapabilities() const {
  ProviderCapabilities all = hosts_.front()->engine->getProviderCapabilities();
  all.supportsMultiRegion = true;
  all.supportedRegions.clear();
  // What each of them can carry; a larger one takes more when it is asked for by name.
  std::optional<ResourceConfig> most;
  for (const auto& host : hosts_) {
    all.supportedRegions.push_back(host->name);
    if (!isConnected(host->engine->health())) continue;
    ResourceConfig own = host->engine->getProviderCapabilities().maxResourcesPerInstance;
    if (!most) most = own;
    if (own.memory.max < most->memory.max) most->memory = own.memory;
    if (own.cpu.cores < most->cpu.cores) most->cpu = own.cpu;
  }
  if (most) all.maxResourcesPerInstance = *most;
  return all;
}

ProviderHealthReport DockerHosts::health() const {
  std::string well, away;
  for (const auto& host : hosts_) {
    ProviderHealthReport report = host->engine->health();
    std::string& text = isConnected(report) ? well : away;
    text += format("{}{}: {}", text.empty() ? "" : "; ", host->name, report.detail);
  }
  if (away.empty()) return {ProviderHealth::healthy, well};
  return {well.empty() ? ProviderHealth::unavailable : ProviderHealth::degraded, away};
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

awaitable<std::vector<DockerHosts::Answer<std::vector<VolumeInfo>>>> DockerHosts::volumesOfAll(Deadline deadline) {
  std::vector<Answer<std::vector<VolumeInfo>>> answers;
  std::vector<Host*> order = answeringFirst();
  for (Host* host : order) {
    Answer<std::vector<VolumeInfo>> answer;
    answer.host = host;
    try {
      answer.value = co_await host->engine->listVolumes(patience(*host, deadline));
    } catch (const Error& error) {
      answer.error = error;
    }
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

/// A name that two Engines have is shown as "host:name", so that deleteVolume knows which one is meant.
awaitable<std::vector<VolumeInfo>> DockerHosts::listVolumes(Deadline deadline) {
  auto answers = co_await volumesOfAll(deadline);
  std::map<std::string, int> counts;
  std::size_t silent = 0;
  for (const auto& answer : answers) {
    if (answer.error) {
      ++silent;
      log::warning("a Docker host's volumes could not be listed", {{"host", answer.host->name}, {"error", answer.error->message()}});
      continue;
    }
    for (const VolumeInfo& volume : *answer.value) ++counts[volume.name];
  }
  if (silent == answers.size()) throw *answers.front().error;
  std::vector<VolumeInfo> all;
  for (auto& answer : answers) {
    if (answer.error) continue;
    for (VolumeInfo& volume : *answer.value) {
      if (counts[volume.name] > 1) volume.name = format("{}:{}", answer.host->name, volume.name);
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
  auto answers = co_await volumesOfAll(deadline);
  std::vector<Host*> having;
  std::string away;
  for (const auto& answer : answers) {
    if (answer.error) {
      away += (away.empty() ? "" : ", ") + answer.host->name;
      continue;
    }
    for (const VolumeInfo& volume : *answer.value) {
      if (volume.name == name) having.push_back(answer.host);
    }
  }
  if (having.size() > 1) {
    throw Error(ErrorCode::Conflict,
                format("More than one Docker host has a volume {}: say which one is meant ({}:{}).", name, having.front()->name, name));
  }
  if (!having.empty()) co_return co_await having.front()->engine->deleteVolume(std::move(name), deadline);
  if (away.empty()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on any Docker host ({}).", name, names()));
  throw Error(ErrorCode::Unavailable, format("No volume {} was found, and these Docker hosts can't be asked now: {}.", name, away));
}

}  // namespace swarm::docker
