// The fake provider's queries: instances, usage, networks, volumes, commands.
#include <boost/asio/use_awaitable.hpp>

#include "base/text/format.h"
#include "protocol/agent.h"
#include "provider/fake/fake_provider.h"

namespace swarm::fake {
namespace {

/// The commands that the fake knows.
CommandResult runCommand(FakeWorld& world, const FakeContainer& container, const std::vector<std::string>& command,
                         const std::string& stdin_text) {
  const PlaceId& id = container.spec.placeId;
  const std::string& name = command.front();
  CommandResult result;
  if (name == "true") return result;
  if (name == "false") {
    result.exitCode = 1;
  } else if (name == "echo") {
    for (std::size_t i = 1; i < command.size(); ++i) result.stdoutText += (i > 1 ? " " : "") + command[i];
    result.stdoutText += "\n";
  } else if (name == "cat" && command.size() == 1) {
    result.stdoutText = stdin_text;
  } else if (name == "cat") {
    auto contents = world.readFile(id, command[1]);
    result.exitCode = contents ? 0 : 1;
    (contents ? result.stdoutText : result.stderrText) = contents ? *contents : format("cat: {}: No such file or directory\n", command[1]);
  } else if (name == "tee" && command.size() == 2) {
    result.exitCode = world.writeInside(id, command[1], stdin_text) ? 0 : 1;
    result.stdoutText = stdin_text;
  } else if (name == "printenv" && command.size() == 2) {
    auto environment = container.spec.config.env;
    environment[agent::kSettingsVariable] = container.spec.agentBoot;
    auto found = environment.find(command[1]);
    result.exitCode = found == environment.end() ? 1 : 0;
    if (result.exitCode == 0) result.stdoutText = found->second + "\n";
  } else if (name == "sh" && command.size() == 3 && command[2].starts_with("exit ")) {
    result.exitCode = std::atoi(command[2].c_str() + 5);
  } else {
    result.exitCode = 127;
    result.stderrText = format("{}: not found\n", name);
  }
  return result;
}

std::string regionOf(const InstanceConfig& config) { return config.network.regions.empty() ? "" : config.network.regions.front(); }

}  // namespace

ProviderInstance FakeProvider::describe(const FakeContainer& container) const {
  ProviderInstance instance;
  instance.placeId = container.spec.placeId;
  instance.name = container.spec.name;
  instance.owner = container.spec.owner;
  instance.status = container.status;
  instance.reason = container.reason;
  instance.createdAt = container.createdAt;
  instance.startedAt = container.startedAt;
  instance.resources = container.spec.config.resources;
  instance.region = regionOf(container.spec.config);
  instance.image = container.image;
  instance.network.hostname = container.spec.name;
  if (container.status == InstanceStatus::running) {
    instance.network.internalIp = "127.0.0.1";
    instance.network.externalIp = "127.0.0.1";
    instance.network.ports = container.ports;
  }
  instance.external.push_back({ResourceKind::container, container.id});
  instance.external.push_back({ResourceKind::network, container.network});
  for (const std::string& volume : container.volumes) instance.external.push_back({ResourceKind::volume, volume});
  return instance;
}

awaitable<std::optional<ProviderInstance>> FakeProvider::getInstance(PlaceId place_id, Deadline) {
  co_await call("getInstance");
  auto container = world_.container(place_id);
  if (!container || container->swarmId != options_.swarmId) co_return std::nullopt;
  co_return describe(*container);
}

bool FakeProvider::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  return !observed.image.empty() && observed.image != world_.imageId(image);
}

awaitable<InstanceList> FakeProvider::listInstances(InstanceFilter filter, Deadline) {
  co_await call("listInstances");
  InstanceList list;
  list.complete = !world_.areListsPartial();
  std::size_t index = 0;
  for (const FakeContainer& container : world_.containers()) {
    if (!list.complete && index++ % 2 == 0) continue;
    if (container.swarmId != options_.swarmId) continue;
    if (ProviderInstance instance = describe(container); filter.admits(instance)) list.instances.push_back(std::move(instance));
  }
  co_return list;
}

awaitable<PlacementPreview> FakeProvider::previewInstance(InstanceSpec spec, Deadline) {
  co_await call("previewInstance");
  PlacementPreview preview;
  preview.region = regionOf(spec.config);
  preview.resources = spec.config.resources;
  preview.image = spec.config.image;
  preview.imageFound = !world_.isImageMissing(spec.config.image);
  preview.imageDetail = format("{} {}", spec.config.image, preview.imageFound ? "is there" : "is not there");
  try {
    checkSpec(spec);
  } catch (const Error& error) {
    preview.problems.push_back(error.message());
  }
  co_return preview;
}

awaitable<AllocationEffect> FakeProvider::allocateResources(PlaceId place_id, ResourceConfig resources, Deadline) {
  co_await call("allocateResources");
  FakeContainer container = existing(place_id);
  container.spec.config.resources = resources;
  checkSpec(container.spec);
  if (!options_.liveResize) co_return AllocationEffect::NeedsRestart;
  world_.setResources(place_id, resources);
  co_return AllocationEffect::Live;
}

awaitable<ResourceUsage> FakeProvider::getResourceUsage(PlaceId place_id, UsageDepth, Deadline) {
  co_await call("getResourceUsage");
  FakeContainer container = existing(place_id);
  const ResourceConfig& resources = container.spec.config.resources;
  ResourceUsage usage = container.status == InstanceStatus::running ? container.usage : ResourceUsage();
  usage.cpu.limit = resources.cpu.limit != 0 ? resources.cpu.limit : static_cast<std::int64_t>(resources.cpu.cores * 1000);
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  co_return usage;
}

awaitable<AllocationEffect> FakeProvider::configureNetwork(PlaceId place_id, NetworkConfig network, Deadline) {
  co_await call("configureNetwork");
  const FakeContainer container = existing(place_id);
  const NetworkConfig& made = container.spec.config.network;
  if (made.exposedPorts != network.exposedPorts) co_return AllocationEffect::NeedsRestart;  // they are fixed when a container is made
  if (policyFor(made) == EgressPolicy::open && policyFor(network) != EgressPolicy::open) co_return AllocationEffect::NeedsRestart;
  if (network.egress && container.status == InstanceStatus::running) world_.setRules(place_id, *network.egress);
  co_return AllocationEffect::Live;
}

awaitable<EgressRules> FakeProvider::setRules(PlaceId place_id, NetworkConfig network, Deadline) {
  co_await call("setRules");
  existing(place_id);
  co_return world_.setRules(place_id, network.egress.value_or(EgressConfig{}));
}

awaitable<std::int64_t> FakeProvider::countDenied(PlaceId place_id, Deadline) {
  co_await call("countDenied");
  co_return existing(place_id).rules ? 7 : 0;
}

awaitable<NetworkInfo> FakeProvider::getNetworkInfo(PlaceId place_id, Deadline) {
  co_await call("getNetworkInfo");
  co_return describe(existing(place_id)).network;
}

awaitable<CommandResult> FakeProvider::executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                                      Deadline) {
  co_await call("executeCommand");
  FakeContainer container = existing(place_id);
  if (container.status != InstanceStatus::running) throw Error(ErrorCode::Conflict, "The workspace does not run.");
  if (command.empty()) throw Error(ErrorCode::InvalidArgument, "The command is empty.");
  world_.noteProgram(place_id);
  co_return runCommand(world_, container, command, stdin_text);
}

/// It may pose as another provider.
ProviderInfo FakeProvider::info() const {
  return {.costRank = options_.type == ProviderType::flyio ? 1 : 0,
          .agentRunsCommands = options_.type != ProviderType::fake,
          .isOneMachine = options_.isOneMachine};
}

ProviderCapabilities FakeProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = options_.liveResize;
  capabilities.supportsMultiRegion = !options_.regions.empty() || options_.type == ProviderType::flyio;
  capabilities.supportedRegions = options_.regions;
  capabilities.maxInstancesPerUser = options_.maxInstancesPerUser;
  capabilities.maxResourcesPerInstance.cpu.cores = 64;
  capabilities.maxResourcesPerInstance.memory.max = 1024 * 1024;
  return capabilities;
}

awaitable<AgentEndpoint> FakeProvider::agentEndpoint(PlaceId place_id, Deadline) {
  co_await call("agentEndpoint");
  if (existing(place_id).status != InstanceStatus::running) throw Error(ErrorCode::Conflict, "The workspace does not run.");
  // The host shows test code whose agent it is.
  co_return AgentEndpoint(simulatedAgent(world_, clock_, place_id), place_id.str());
}

awaitable<std::vector<VolumeInfo>> FakeProvider::listVolumes(Deadline) {
  co_await call("listVolumes");
  std::vector<VolumeInfo> list;
  for (const FakeVolume& volume : world_.volumes()) {
    if (volume.swarmId != options_.swarmId) continue;
    list.push_back(
        VolumeInfo{volume.name, volume.placeId, volume.owner, volume.mountPath, world_.isVolumeInUse(volume.name), volume.createdAt});
  }
  co_return list;
}

awaitable<void> FakeProvider::deleteVolume(std::string name, Deadline) {
  co_await call("deleteVolume");
  auto volume = world_.volume(name);
  if (!volume || volume->swarmId != options_.swarmId) throw Error(ErrorCode::NotFound, format("There is no volume {}.", name));
  if (!world_.removeVolume(name)) throw Error(ErrorCode::Conflict, format("Volume {} is in use.", name));
}

ProviderHealthReport FakeProvider::health() const {
  if (world_.isDown()) return {ProviderHealth::unavailable, "The fake provider can't be reached."};
  return {};
}

ProviderToken FakeProvider::describeToken() const {
  if (token_.empty()) return {};
  return {.source = TokenSource::stored, .setAt = token_set_at_};
}

awaitable<void> FakeProvider::checkToken(Secret token, Deadline) {
  if (world_.isDown()) throw Error(ErrorCode::Unavailable, "The fake provider can't be reached.");
  if (token.reveal() == "refused")
    throw Error(ErrorCode::Unprocessable, "The fake provider refused the token.").withField("/token", "is refused");
  co_return;
}

void FakeProvider::useToken(Secret token, SystemTime set_at) {
  token_ = std::move(token);
  token_set_at_ = set_at;
}

awaitable<std::vector<ValidationCheck>> FakeProvider::validate(Deadline) {
  std::vector<ValidationCheck> checks;
  checks.push_back({"endpoint", !world_.isDown(), world_.isDown() ? "The fake provider can't be reached." : "in memory"});
  co_return checks;
}

}  // namespace swarm::fake
