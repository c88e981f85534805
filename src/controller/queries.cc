// Queries: instances, usage, agents, volumes, providers, the swarm as a whole.
#include "base/diagnostics/log.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "controller/impl.h"
#include "model/codec/codec.h"

namespace swarm {

using control::EntryPtr;

namespace {

constexpr std::chrono::seconds kQueryTimeout{30};

bool matches(const Instance& instance, const InstanceQuery& query) {
  if (query.status && instance.status != *query.status) return false;
  if (query.provider && instance.provider != *query.provider) return false;
  if (query.owner && instance.owner != *query.owner) return false;
  if (query.name && instance.config.name != *query.name) return false;
  for (const auto& [key, value] : query.labels) {
    auto found = instance.config.labels.find(key);
    if (found == instance.config.labels.end() || found->second != value) return false;
  }
  return true;
}

/// Providers return a command's output unmodified: makes it valid UTF-8 and limits its size.
CommandResult bounded(CommandResult result) {
  for (std::string* text : {&result.stdoutText, &result.stderrText}) {
    if (!isUtf8(*text)) *text = toValidUtf8(*text);
    if (text->size() <= agent::kMaxBufferedOutput) continue;
    std::size_t end = agent::kMaxBufferedOutput;
    while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) --end;  // not within a character
    text->resize(end);
    result.truncated = true;
  }
  return result;
}

Error notRunning(const Instance& instance) {
  std::string reason = instance.statusReason.empty() ? "" : " " + instance.statusReason;
  return Error(ErrorCode::Conflict, format("Workspace {} is {}, not running.{}", instance.config.name, enumName(instance.status), reason))
      .withInstance(instance.id);
}

}  // namespace

awaitable<std::optional<Instance>> SwarmController::Impl::getInstance(std::string ref) {
  EntryPtr entry = find(ref);
  if (!entry) co_return std::nullopt;
  co_return entry->record.instance;
}

awaitable<InstancePage> SwarmController::Impl::listInstances(InstanceQuery query) {
  InstancePage page;
  auto entry = query.after.empty() ? instances.begin() : instances.upper_bound(query.after);
  for (; entry != instances.end(); ++entry) {
    const Instance& instance = entry->second->record.instance;
    if (!matches(instance, query)) continue;
    if (page.items.size() == query.limit) {
      page.next = page.items.back().id;
      break;
    }
    page.items.push_back(instance);
  }
  co_return page;
}

awaitable<CommandResult> SwarmController::Impl::executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text,
                                                               Deadline deadline) {
  EntryPtr entry = require(ref);
  if (entry->instance().status != InstanceStatus::running) throw notRunning(entry->instance());
  noteActive(*entry, clock.now());
  Provider& provider = providerOf(*entry);
  if (!entry->ready || !provider.info().agentRunsCommands)
    co_return bounded(co_await provider.executeCommand(entry->placeId(), std::move(command), std::move(stdin_text), deadline));
  agent::ExecRequest request;
  request.command = std::move(command);
  request.stdinText = std::move(stdin_text);
  co_return co_await agent::exec(targetOf(*entry), std::move(request), deadline);
}

awaitable<ResourceUsage> SwarmController::Impl::getResourceUsage(std::string ref) {
  EntryPtr entry = require(ref);
  Provider& provider = providerOf(*entry);
  ResourceUsage usage = co_await provider.getResourceUsage(entry->placeId(), Deadline::after(kQueryTimeout));
  if (provider.measuresUsage() || !entry->endpoint || entry->instance().status != InstanceStatus::running) co_return usage;
  ResourceUsage inside = co_await agent::getUsage(targetOf(*entry), Deadline::after(kQueryTimeout));
  usage.cpu.usage = inside.cpu.usage;
  usage.memory.usage = inside.memory.usage;
  usage.storage.usage = inside.storage.usage;
  co_return usage;
}

awaitable<NetworkInfo> SwarmController::Impl::getNetworkInfo(std::string ref) {
  EntryPtr entry = require(ref);
  NetworkInfo network = co_await providerOf(*entry).getNetworkInfo(entry->placeId(), Deadline::after(kQueryTimeout));
  if (network.urls.empty() && !entry->instance().url.empty()) network.urls.push_back(entry->instance().url);
  co_return network;
}

awaitable<agent::AgentTarget> SwarmController::Impl::agentTarget(std::string ref) {
  EntryPtr entry = require(ref);
  if (entry->instance().status != InstanceStatus::running) throw notRunning(entry->instance());
  if (!entry->endpoint)
    throw Error(ErrorCode::Unavailable, format("The agent of workspace {} is not reachable yet.", entry->instance().config.name));
  noteActive(*entry, clock.now());
  co_return targetOf(*entry);
}

awaitable<void> SwarmController::Impl::noteIssuedToken(std::string ref, std::string session, SystemTime expires_at,
                                                       std::function<bool()> is_valid) {
  issuedTokens.note(require(ref)->id(), session, expires_at, std::move(is_valid));
  co_return;
}

awaitable<void> SwarmController::Impl::setGitIdentity(std::string user, GitIdentity identity) {
  co_await store.setGitIdentity(user, identity);
  gitIdentities[user] = std::move(identity);
}

awaitable<GitIdentity> SwarmController::Impl::gitIdentity(std::string user) {
  auto found = gitIdentities.find(user);
  co_return found == gitIdentities.end() ? GitIdentity{} : found->second;
}

awaitable<std::unique_ptr<LogSource::Reader>> SwarmController::Impl::openLogs(std::string ref, LogSource::Options log_options) {
  EntryPtr entry = require(ref);
  LogSource* source = providerOf(*entry).logs();
  if (!source) throw Error(ErrorCode::Unsupported, format("The provider \"{}\" has no logs.", enumName(entry->instance().provider)));
  co_return co_await source->openLogs(entry->placeId(), log_options, Deadline::after(kQueryTimeout));
}

awaitable<std::vector<NameHold>> SwarmController::Impl::listNameHolds() {
  std::vector<NameHold> all;
  for (const auto& [name, hold] : heldNames)
    if (holdOf(name) && !names.contains(name)) all.push_back(hold);
  co_return all;
}

awaitable<void> SwarmController::Impl::releaseName(std::string name) {
  if (!holdOf(name)) throw Error(ErrorCode::NotFound, format("The name \"{}\" is not reserved.", name));
  co_await store.dropNameHold(name);
  heldNames.erase(name);
  log::info("name released", {{"name", name}});
}

awaitable<std::vector<VolumeInfo>> SwarmController::Impl::listVolumes() {
  std::vector<VolumeInfo> all;
  for (auto& [type, provider] : providers) {
    if (provider->health().status == ProviderHealth::unavailable) continue;
    try {
      auto volumes = co_await provider->listVolumes(Deadline::after(kQueryTimeout));
      for (VolumeInfo& volume : volumes) {
        if (volume.owner.empty()) volume.owner = ownerOfPlace(volume.instanceId);
        if (volume.owner.empty() && !volume.isStray) continue;
        auto place = places.find(volume.instanceId);
        if (place != places.end()) volume.instanceId = place->second.instanceId;
        if (EntryPtr entry = findByPlace(volume.instanceId)) volume.instanceId = entry->id();
        all.push_back(std::move(volume));
      }
    } catch (const Error& error) {  // unreachable since the check above; the others' volumes are still listed
      log::warning("volumes of a provider could not be listed", {{"provider", enumName(type)}, {"error", error.message()}});
    }
  }
  co_return all;
}

awaitable<void> SwarmController::Impl::deleteVolume(std::string name) {
  std::string unavailable;
  for (auto& [type, provider] : providers) {
    if (provider->health().status == ProviderHealth::unavailable) {
      unavailable += format(" The provider \"{}\" is unavailable.", enumName(type));
      continue;
    }
    if (ProviderHealthReport health = provider->health(); health.status == ProviderHealth::degraded)
      unavailable += format(" The provider \"{}\" is partly unavailable ({}).", enumName(type), health.detail);
    auto volumes = co_await provider->listVolumes(Deadline::after(kQueryTimeout));
    for (const VolumeInfo& volume : volumes) {
      bool is_ours = volume.isStray || !volume.owner.empty() || !ownerOfPlace(volume.instanceId).empty();
      if (volume.name != name || !is_ours) continue;
      if (volume.isStray) co_return co_await provider->deleteVolume(name, Deadline::after(kQueryTimeout));
      if (EntryPtr entry = findByPlace(volume.instanceId))
        throw Error(ErrorCode::Conflict, format("Volume {} belongs to workspace {}. Delete the workspace with its volumes.", name,
                                                entry->instance().config.name));
      if (places.contains(volume.instanceId))
        throw Error(ErrorCode::Conflict, format("Volume {} belongs to a move, a kept source, or a snapshot (swarm snapshot list).", name));
      co_await provider->deleteVolume(name, Deadline::after(kQueryTimeout));
      co_return;
    }
  }
  if (!unavailable.empty()) throw Error(ErrorCode::Unavailable, format("No volume \"{}\" was found.{}", name, unavailable));
  throw notFound("volume", name);
}

std::vector<control::PlacementCandidate> SwarmController::Impl::placementCandidates() const {
  std::map<ProviderType, control::PlacementCandidate> found;
  for (const auto& [type, provider] : providers)
    found[type] = {.type = type,
                   .health = provider->health().status,
                   .memory = {0, provider->memoryTotal().total},
                   .regions = provider->getProviderCapabilities().supportedRegions,
                   .costRank = provider->info().costRank};
  for (const auto& [id, entry] : instances) {
    const Instance& instance = entry->record.instance;
    auto candidate = found.find(instance.provider);
    if (candidate == found.end()) continue;
    ++candidate->second.instances;
    if (instance.status == InstanceStatus::running) candidate->second.memory.used += static_cast<double>(instance.resources.memory.max);
  }
  std::vector<control::PlacementCandidate> list;
  for (auto& [type, candidate] : found) list.push_back(std::move(candidate));
  return list;
}

awaitable<std::vector<SwarmController::ProviderDetails>> SwarmController::Impl::listProviders() {
  std::vector<ProviderDetails> list;
  if (providers.empty()) co_return list;
  std::vector<control::PlacementCandidate> candidates = placementCandidates();
  ProviderType chosen = placement->choose({}, candidates);
  for (const control::PlacementCandidate& candidate : candidates) {
    Provider& provider = *providers.at(candidate.type);
    list.push_back({candidate.type, provider.health(), provider.getProviderCapabilities(), candidate.instances, candidate.type == chosen});
  }
  co_return list;
}

awaitable<std::vector<ValidationCheck>> SwarmController::Impl::validateProvider(ProviderType type) {
  auto found = providers.find(type);
  if (found == providers.end()) throw Error(ErrorCode::NotFound, format("This server has no provider \"{}\".", enumName(type)));
  co_return co_await found->second->validate(Deadline::after(kQueryTimeout));
}

awaitable<std::vector<ValidationCheck>> SwarmController::Impl::validateProvider(std::function<ProviderPtr()> make) {
  ProviderPtr candidate = make();
  co_return co_await candidate->validate(Deadline::after(kQueryTimeout));
}

awaitable<SwarmStatus> SwarmController::Impl::getSwarmStatus() {
  SwarmStatus status;
  std::map<ProviderType, std::int64_t> counts;
  for (const auto& [id, entry] : instances) {
    const Instance& instance = entry->record.instance;
    ++status.totalInstances;
    ++counts[instance.provider];
    status.runningInstances += instance.status == InstanceStatus::running ? 1 : 0;
    status.stoppedInstances += instance.status == InstanceStatus::stopped ? 1 : 0;
    status.failedInstances += instance.status == InstanceStatus::failed ? 1 : 0;
    for (const StorageConfig& storage : instance.config.storage) status.resourceUsage.storage.used += static_cast<double>(storage.size);
    if (instance.status != InstanceStatus::running) continue;
    status.resourceUsage.cpu.used += instance.resources.cpu.cores;
    status.resourceUsage.memory.used += static_cast<double>(instance.resources.memory.max);
  }
  bool has_an_end = true;
  for (const auto& [type, provider] : providers) {
    ProviderHealthReport health = provider->health();
    status.providers.push_back(ProviderStatus{type, health.status, counts[type], health.detail});
    status.resourceUsage.cpu.total += provider->cpuTotal().total;
    status.resourceUsage.memory.total += provider->memoryTotal().total;
    has_an_end = has_an_end && (provider->cpuTotal().total > 0 || counts[type] == 0);
  }
  // No total when instances run at a provider of unknown capacity: avoids "4 of 2 cores".
  if (!has_an_end) status.resourceUsage.cpu.total = status.resourceUsage.memory.total = 0;
  co_return status;
}

}  // namespace swarm
