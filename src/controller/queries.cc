// SwarmController: queries about instances, agents, volumes, providers, and the swarm as a whole.
#include <boost/json/serialize.hpp>

#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "controller/agents/network_guard.h"
#include "controller/impl.h"
#include "model/codec/codec.h"

namespace swarm {

using control::EntryPtr;
using control::targetOf;

namespace {

constexpr std::chrono::seconds kQueryTimeout{30};
constexpr std::size_t kMaxPageBytes = 2 * 1024 * 1024;  // of the instances in one page of a list

/// The size of a text in JSON, without the escapes that at most double it.
std::size_t jsonBytes(std::string_view text) {
  const auto controls = std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return text.size() + 5 * static_cast<std::size_t>(controls);
}

/// The size of an instance in JSON, approximately: what its owner may make large is counted.
std::size_t jsonBytes(const Instance& instance) {
  const InstanceConfig& config = instance.config;
  std::size_t bytes = 1024 + jsonBytes(config.setup);
  for (const std::string& word : config.command) bytes += jsonBytes(word);
  for (const auto& [name, value] : config.env) bytes += name.size() + jsonBytes(value);
  for (const auto& [name, value] : config.labels) bytes += name.size() + value.size();
  for (const StorageConfig& storage : config.storage) bytes += 128 + storage.mountPath.size();
  return config.metadata.empty() ? bytes : bytes + boost::json::serialize(config.metadata).size();
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
  const bool is_down = instance.status == InstanceStatus::stopped || instance.status == InstanceStatus::failed;
  std::string next;
  if (is_down)
    next = format(" Run `swarm start {}` first.", instance.config.name);
  else if (!instance.operationId.empty())
    next = format(" `swarm operations follow {}` shows the progress.", instance.operationId);
  return Error(ErrorCode::Conflict,
               format("Workspace {} is {}, not running.{}{}", instance.config.name, enumName(instance.status), reason, next))
      .withInstance(instance.id.str());
}

}  // namespace

bool InstanceQuery::admits(const Instance& instance) const {
  if (status && instance.status != *status) return false;
  if (provider && instance.provider != *provider) return false;
  if (!owner.empty() && instance.owner != owner) return false;
  if (!reader.empty() && instance.owner != reader && !shared.contains(instance.id)) return false;
  if (!name.empty() && instance.config.name != name) return false;
  if (!instance.config.name.starts_with(namePrefix)) return false;
  for (const auto& [key, value] : labels) {
    auto found = instance.config.labels.find(key);
    if (found == instance.config.labels.end() || found->second != value) return false;
  }
  return true;
}

awaitable<std::optional<Instance>> SwarmController::getInstance(std::string ref) {
  return onLoop([=](Impl& impl) {
    EntryPtr entry = impl.registry.find(ref);
    return entry ? std::optional(entry->record.instance) : std::nullopt;
  });
}

awaitable<InstancePage> SwarmController::listInstances(InstanceQuery query) {
  return onLoop([=](Impl& impl) {
    InstancePage page;
    const auto& instances = impl.registry.instances();
    std::size_t bytes = 0;
    auto entry = query.after.empty() ? instances.begin() : instances.upper_bound(query.after);
    for (; entry != instances.end(); ++entry) {
      const Instance& instance = entry->second->record.instance;
      if (!query.admits(instance)) continue;
      bytes += jsonBytes(instance);
      if (std::ssize(page.items) == query.limit || (bytes > kMaxPageBytes && !page.items.empty())) {
        page.next = page.items.back().id;
        break;
      }
      page.items.push_back(instance);
    }
    return page;
  });
}

awaitable<std::vector<Snapshot>> SwarmController::listSnapshots() {
  return onLoop([](Impl& impl) { return impl.snapshots.list(); });
}

awaitable<SnapshotList> SwarmController::listSnapshotsOf(std::string ref) {
  return onLoop([=](Impl& impl) { return impl.snapshots.listOf(impl.registry.require(ref)); });
}

awaitable<std::optional<Operation>> SwarmController::getOperation(std::string id) {
  return onLoop([=](Impl& impl) { return impl.runner.get(id); });
}

awaitable<std::vector<Operation>> SwarmController::listOperations(OperationFilter filter) {
  return onLoop([=](Impl& impl) { return impl.runner.list(filter); });
}

awaitable<Operation> SwarmController::waitForOperation(std::string id, Deadline deadline) {
  return onLoop([=](Impl& impl) { return impl.runner.wait(id, deadline); });
}

awaitable<SwarmController::EndedOperations> SwarmController::countEndedOperations() {
  return onLoop([](Impl& impl) { return impl.operations.counts; });
}

awaitable<CommandResult> SwarmController::executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text,
                                                         Deadline deadline) {
  return onLoop([=](Impl& impl) mutable -> awaitable<CommandResult> {
    EntryPtr entry = impl.registry.require(ref);
    if (entry->instance().status != InstanceStatus::running) throw notRunning(entry->instance());
    entry->noteActive(impl.clock.now());
    Provider& provider = impl.providers.of(*entry);
    // The provider would run it before the rules of the network stand; the agent refuses while it waits for them.
    const bool is_limited = control::egressControlOf(impl.context, *entry) != nullptr;
    const bool by_agent = provider.info().agentRunsCommands && (entry->ready || (is_limited && entry->endpoint));
    if (is_limited && !entry->ready && !by_agent)
      throw Error(ErrorCode::Unavailable, format("The rules of the network of workspace {} are being set. Try again in some seconds.",
                                                 entry->instance().config.name))
          .withRetryable(true);
    if (!by_agent)
      co_return bounded(co_await provider.executeCommand(entry->placeId(), std::move(command), std::move(stdin_text), deadline));
    agent::ExecRequest request;
    request.command = std::move(command);
    request.stdinText = std::move(stdin_text);
    co_return co_await agent::exec(targetOf(*entry), std::move(request), deadline);
  });
}

awaitable<NetworkInfo> SwarmController::getNetworkInfo(std::string ref) {
  return onLoop([=](Impl& impl) -> awaitable<NetworkInfo> {
    EntryPtr entry = impl.registry.require(ref);
    NetworkInfo network = co_await impl.providers.of(*entry).getNetworkInfo(entry->placeId(), Deadline::after(kQueryTimeout));
    if (network.urls.empty() && !entry->instance().url.empty()) network.urls.push_back(entry->instance().url);
    if (EgressControl* control = control::egressControlOf(impl.context, *entry)) {
      auto denied = co_await async::attempt(control->countDenied(entry->placeId(), Deadline::after(kQueryTimeout)));
      const NetworkConfig& config = entry->instance().config.network;
      if (denied) network.egress = entry->instance().network.egress = EgressReport{control->policyFor(config), *denied};
    }
    co_return network;
  });
}

awaitable<agent::AgentTarget> SwarmController::agentTarget(std::string ref) {
  return onLoop([=](Impl& impl) {
    EntryPtr entry = impl.registry.require(ref);
    if (entry->instance().status != InstanceStatus::running) throw notRunning(entry->instance());
    if (!entry->endpoint)
      throw Error(ErrorCode::Unavailable, format("The agent of workspace {} is not reachable yet.", entry->instance().config.name));
    entry->noteActive(impl.clock.now());
    return targetOf(*entry);
  });
}

awaitable<void> SwarmController::noteIssuedToken(std::string ref, std::string session, SystemTime expires_at,
                                                 std::function<bool()> is_valid) {
  return onLoop([=](Impl& impl) { impl.issuedTokens.note(impl.registry.require(ref)->id(), session, expires_at, is_valid); });
}

awaitable<void> SwarmController::setGitIdentity(std::string user, GitIdentity identity) {
  return onLoop([=](Impl& impl) mutable -> awaitable<void> {
    co_await impl.store.setGitIdentity(user, identity);
    impl.registry.setGitIdentity(user, std::move(identity));
  });
}

awaitable<GitIdentity> SwarmController::gitIdentity(std::string user) {
  return onLoop([=](Impl& impl) { return impl.registry.gitIdentityOf(user); });
}

awaitable<void> SwarmController::deleteUser(std::string name, std::string successor) {
  return onLoop([=](Impl& impl) -> awaitable<void> {
    for (const auto& [id, operation] : impl.operations.all())
      if (operation->record.owner == name)
        throw Error(ErrorCode::Conflict, format("An operation of workspace {} is in progress. Wait for its end, or cancel it with `swarm "
                                                "operations cancel {}`.",
                                                operation->entry->instance().config.name, id));
    co_await impl.store.deleteUser(name, successor);
    for (const EntryPtr& entry : impl.registry.handOver(name, successor)) impl.changes.changed(*entry);
    impl.limits.setQuotas(co_await impl.store.quotas().load());
    impl.routes.publish();  // the response means that the successor is the owner everywhere
  });
}

awaitable<std::unique_ptr<LogSource::Reader>> SwarmController::openLogs(std::string ref, LogSource::Options options) {
  return onLoop([=](Impl& impl) -> awaitable<std::unique_ptr<LogSource::Reader>> {
    EntryPtr entry = impl.registry.require(ref);
    LogSource* source = impl.providers.of(*entry).logs();
    if (!source) throw Error(ErrorCode::Unsupported, format("The provider \"{}\" has no logs.", enumName(entry->instance().provider)));
    co_return co_await source->openLogs(entry->placeId(), options, Deadline::after(kQueryTimeout));
  });
}

awaitable<std::vector<NameHold>> SwarmController::listNameHolds() {
  return onLoop([](Impl& impl) {
    std::vector<NameHold> all;
    for (const auto& [name, hold] : impl.registry.holds())
      if (impl.registry.holdOf(name) && !impl.registry.isTaken(name)) all.push_back(hold);
    return all;
  });
}

awaitable<void> SwarmController::releaseName(std::string name) {
  return onLoop([=](Impl& impl) -> awaitable<void> {
    if (!impl.registry.holdOf(name)) throw Error(ErrorCode::NotFound, format("The name \"{}\" is not reserved.", name));
    co_await impl.store.dropNameHold(name);
    impl.registry.dropHold(name);
    log::info("name released", {{"name", name}});
  });
}

awaitable<std::vector<VolumeResponse>> SwarmController::listVolumes() {
  return onLoop([](Impl& impl) -> awaitable<std::vector<VolumeResponse>> {
    std::vector<VolumeResponse> all;
    for (auto& [type, provider] : impl.providers) {
      if (provider->health().status == ProviderHealth::unavailable) continue;
      auto volumes = co_await control::attempt(provider->listVolumes(Deadline::after(kQueryTimeout)));
      if (!volumes) {  // unreachable since the check above; the others' volumes are still listed
        log::warning("volumes of a provider could not be listed", {{"provider", enumName(type)}, {"error", volumes.error().message()}});
        continue;
      }
      for (VolumeInfo& volume : *volumes) {
        volume.owner = impl.registry.ownerOf(volume);
        if (volume.owner.empty() && !volume.isStray) continue;
        const PlaceRecord* place = impl.registry.findPlace(volume.placeId);
        const bool of_snapshot = place && place->role == PlaceRole::snapshot;
        all.push_back({volume.name, impl.registry.instanceOfPlace(volume.placeId), volume.owner, volume.mountPath, volume.inUse,
                       volume.createdAt, volume.isStray, of_snapshot ? place->name : std::string()});
      }
    }
    co_return all;
  });
}

namespace {

/// Throws Conflict for a volume of a place that exists.
void requireUnused(const control::Registry& registry, const VolumeInfo& volume) {
  if (volume.isStray) return;
  if (EntryPtr entry = registry.findByPlace(volume.placeId))
    throw Error(ErrorCode::Conflict, format("Volume {} belongs to workspace {}. Delete the workspace with its volumes.", volume.name,
                                            entry->instance().config.name));
  if (registry.findPlace(volume.placeId))
    throw Error(ErrorCode::Conflict,
                format("Volume {} belongs to a move, a kept source, or a snapshot (swarm snapshot list).", volume.name));
}

}  // namespace

awaitable<void> SwarmController::deleteVolume(std::string name) {
  return onLoop([=](Impl& impl) -> awaitable<void> {
    std::string unavailable;
    for (auto& [type, provider] : impl.providers) {
      const ProviderHealthReport health = provider->health();
      if (health.status == ProviderHealth::unavailable) {
        unavailable += format(" The provider \"{}\" is unavailable.", enumName(type));
        continue;
      }
      if (health.status == ProviderHealth::degraded)
        unavailable += format(" The provider \"{}\" is partly unavailable ({}).", enumName(type), health.detail);
      auto volumes = co_await provider->listVolumes(Deadline::after(kQueryTimeout));
      for (const VolumeInfo& volume : volumes) {
        bool is_ours = volume.isStray || !volume.owner.empty() || !impl.registry.ownerOfPlace(volume.placeId).empty();
        if (volume.name != name || !is_ours) continue;
        requireUnused(impl.registry, volume);
        co_return co_await provider->deleteVolume(name, Deadline::after(kQueryTimeout));
      }
    }
    if (!unavailable.empty()) throw Error(ErrorCode::Unavailable, format("No volume \"{}\" was found.{}", name, unavailable));
    throw notFound("volume", name);
  });
}

awaitable<std::vector<ProviderResponse>> SwarmController::listProviders() {
  return onLoop([](Impl& impl) {
    std::vector<ProviderResponse> list;
    if (impl.providers.empty()) return list;
    auto candidates = impl.creation.candidates();
    ProviderType chosen = impl.creation.placement().choose({}, candidates);
    for (const control::PlacementCandidate& candidate : candidates) {
      Provider& provider = impl.providers.at(candidate.type);
      const ProviderHealthReport health = provider.health();
      const ProviderCapabilities capabilities = provider.getProviderCapabilities();
      const ApiToken* token = provider.apiToken();
      list.push_back({candidate.type, health.status, health.detail, candidate.instances, candidate.type == chosen,
                      capabilities.supportedRegions, capabilities, token ? std::optional(token->describeToken()) : std::nullopt});
    }
    return list;
  });
}

awaitable<std::vector<ValidationCheck>> SwarmController::validateProvider(ProviderType type) {
  return onLoop([=](Impl& impl) -> awaitable<std::vector<ValidationCheck>> {
    Provider* provider = impl.providers.find(type);
    if (!provider) throw Error(ErrorCode::NotFound, format("This server has no provider \"{}\".", enumName(type)));
    co_return co_await provider->validate(Deadline::after(kQueryTimeout));
  });
}

awaitable<std::vector<ValidationCheck>> SwarmController::validateProvider(std::function<ProviderPtr()> make) {
  return onLoop([=](Impl&) -> awaitable<std::vector<ValidationCheck>> {
    ProviderPtr candidate = make();
    co_return co_await candidate->validate(Deadline::after(kQueryTimeout));
  });
}

awaitable<ProviderToken> SwarmController::setProviderToken(ProviderType type, Secret token, bool unchecked) {
  return onLoop([=](Impl& impl) { return impl.providerTokens.set(type, token, unchecked); });
}

awaitable<ProviderToken> SwarmController::removeProviderToken(ProviderType type) {
  return onLoop([=](Impl& impl) { return impl.providerTokens.remove(type); });
}

awaitable<SwarmStatus> SwarmController::getSwarmStatus() {
  return onLoop([](Impl& impl) {
    SwarmStatus status;
    std::map<ProviderType, std::int64_t> counts;
    for (const auto& [id, entry] : impl.registry.instances()) {
      const Instance& instance = entry->record.instance;
      ++status.totalInstances;
      ++counts[instance.provider];
      status.runningInstances += instance.status == InstanceStatus::running ? 1 : 0;
      status.stoppedInstances += instance.status == InstanceStatus::stopped ? 1 : 0;
      status.failedInstances += instance.status == InstanceStatus::failed ? 1 : 0;
    }
    const control::Amounts used = impl.registry.ledger()->used({control::AccountKind::swarm});
    SwarmResourceUsage& usage = status.resourceUsage;
    usage.cpu.used = static_cast<double>(used.milliCpu) / 1000;
    usage.memory.used = static_cast<double>(used.memory);
    usage.storage.used = static_cast<double>(used.storage);
    bool has_an_end = true;
    for (const auto& [type, provider] : impl.providers) {
      ProviderHealthReport health = provider->health();
      status.providers.push_back(ProviderStatus{type, health.status, counts[type], health.detail});
      usage.cpu.total += provider->cpuTotal().total;
      usage.memory.total += provider->memoryTotal().total;
      has_an_end = has_an_end && (provider->cpuTotal().total > 0 || counts[type] == 0);
    }
    // No total when instances run at a provider of unknown capacity: avoids "4 of 2 cores".
    if (!has_an_end) usage.cpu.total = usage.memory.total = 0;
    // A limit below the capacity is the end.
    const ResourceLimits& limits = impl.options.limits.swarm;
    const auto cap = [](UsedTotal& one, double limit) {
      if (limit > 0 && (one.total <= 0 || limit < one.total)) one.total = limit;
    };
    cap(usage.cpu, limits.cpu.value_or(0));
    cap(usage.memory, static_cast<double>(limits.memory.value_or(0)));
    cap(usage.storage, static_cast<double>(limits.storage.value_or(0)));
    return status;
  });
}

}  // namespace swarm
