#include "provider/docker/docker_provider.h"

#include <cmath>

#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "engine/transport/socket_access.h"
#include "model/rules/egress_target.h"
#include "model/rules/validation.h"
#include "provider/candidate.h"
#include "provider/docker/container/agent_access.h"
#include "provider/docker/spec/container_changes.h"
#include "provider/docker/spec/container_spec.h"
#include "provider/docker/spec/hardening.h"
#include "provider/docker/spec/request_policy.h"

namespace swarm {

ProviderPtr makeDockerProvider(DockerProviderConfig config, std::string swarm_id) {
  if (swarm_id.empty()) throw Error(ErrorCode::InvalidArgument, "A Docker provider needs the swarm's id.");
  return std::make_unique<docker::DockerProvider>(docker::completed(std::move(config)), std::move(swarm_id));
}

}  // namespace swarm

namespace swarm::docker {
namespace {

constexpr std::size_t kMaxChanges = 1024 * 1024;  ///< bytes of the Engine's response: some ten thousand paths

bool sameStorage(const StorageResource& a, const StorageResource& b) { return a.size == b.size && a.persistent == b.persistent; }

}  // namespace

DockerProviderConfig completed(DockerProviderConfig config) {
  const std::string section = config.name.empty() ? "docker" : "docker.hosts." + config.name;
  if (!config.name.empty() && !isDnsLabel(config.name)) {
    throw Error(ErrorCode::InvalidArgument, format("\"{}\" is not a name for a Docker host: use a-z, 0-9 and dashes inside.", config.name));
  }
  if (config.tls.certificate.empty() != config.tls.key.empty())
    throw Error(ErrorCode::InvalidArgument, format("[{}.tls] needs certificate and key together.", section));
  if (!config.networkName.empty() && config.isolation == Isolation::instance)
    throw Error(
        ErrorCode::InvalidArgument,
        format("[{}] has networkName, one network of all workspaces, and an isolation that rules it out. Leave one of them out.", section));
  for (const std::string& target : config.egressAllow)
    if (!parseEgressTarget(target))
      throw Error(ErrorCode::InvalidArgument, format("egressAllow of [{}] has \"{}\": it {}.", section, target, kEgressTargetForm));
  if (!config.seccompProfile.empty()) config.seccompText = readSeccompProfile(config.seccompProfile);
  return config;
}

// Creating

void DockerProvider::checkRequest(const InstanceSpec& spec) const {
  checkPolicy(spec, config());
  if (client().connected()) checkSpec(spec, parts_.context);
}

awaitable<ProviderInstance> DockerProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  DockerContext& context = parts_.context;
  co_await context.engine.connect(deadline);
  checkSpec(spec, context);
  NetworkPlan network = planNetwork(spec, context.config, context.swarmId);
  const ImageFacts image = co_await parts_.images.ensure(spec.config.image, progress, deadline);
  requireAgentFor(spec, image.agent, context.config);
  std::vector<VolumePlan> volumes = planVolumes(spec, image.volumes);
  co_await parts_.volumes.requireKnown(spec, volumes, deadline);
  std::string container;
  {
    engine::NetworkPin pin = parts_.networks.pin(network.name);
    progress.step(Step::CreateNetwork);
    std::string network_id = co_await parts_.networks.ensure(spec, network, deadline);
    co_await progress.recorded({ResourceKind::network, network.name});
    co_await parts_.volumes.create(spec, volumes, progress, deadline);
    progress.step(Step::CreateContainer);
    json::object body = containerBody(spec, context.config, context.swarmId, network, volumes);
    fitToAgent(body, spec, image.agent, context.config);
    pinNetwork(body, network, network_id);
    container = co_await parts_.containers.create(spec, containerName(spec), std::move(body), progress, deadline);
  }
  parts_.index.setCurrent(spec.placeId, container);
  progress.step(Step::StartContainer);
  co_await parts_.containers.writeAgentFile(container, spec, image.agent, deadline);
  faultPoint("docker.create.start.before");
  co_await parts_.containers.start(container, deadline);
  faultPoint("docker.create.start.after");
  auto details = co_await parts_.index.inspect(container, deadline);
  if (!details)
    throw Error(ErrorCode::UpstreamFailed, "The container disappeared while it was being started.").withInstance(spec.placeId.str());
  co_return std::move(details->instance);
}

awaitable<PlacementPreview> DockerProvider::previewInstance(InstanceSpec spec, Deadline deadline) {
  co_await parts_.context.engine.connect(deadline);
  PlacementPreview preview;
  preview.region = config().name;
  preview.resources = spec.config.resources;
  CpuConfig& cpu = preview.resources.cpu;
  if (cpu.limit <= 0) cpu.limit = std::llround(cpu.cores * 1000);
  preview.costNotes.push_back("The Docker Engine's machine is there anyway: nothing more is billed.");
  collectProblem(preview, [&] { checkHost(spec, config()); });
  collectProblem(preview, [&] { checkResources(spec.config.resources, client().facts()); });
  collectProblem(preview, [&] { checkNetwork(spec, config()); });
  if (spec.imageChoice == ImageChoice::Allowed) collectProblem(preview, [&] { checkImage(spec.config.image, spec.imageChoice, config()); });
  std::size_t before = preview.problems.size();
  collectProblem(preview, [&] { checkStorage(spec); });
  bool has_valid_names = before == preview.problems.size();
  if (has_valid_names) co_await parts_.volumes.preview(spec, preview, deadline);
  co_await parts_.networks.preview(spec, preview, deadline);
  co_await parts_.images.preview(spec.config.image, preview, deadline);
  co_return preview;
}

awaitable<std::optional<std::vector<LostVolume>>> DockerProvider::findLostVolumes(InstanceSpec spec, Deadline deadline) {
  co_return co_await parts_.volumes.findLost(spec, planVolumes(spec), deadline);
}

awaitable<std::optional<ReplacementLoss>> DockerProvider::previewReplacement(PlaceId place_id, Deadline deadline) {
  ContainerDetails details = co_await parts_.index.require(std::move(place_id), deadline);
  engine::PartialText changes = co_await parts_.context.engine.listChanges(details.id, kMaxChanges, deadline);
  co_return readChanges(changes, details.mountPaths);
}

// Changing

awaitable<void> DockerProvider::startInstance(PlaceId place_id, Progress& progress, Deadline deadline) {
  progress.step(Step::StartContainer);
  faultPoint("docker.start.before");
  ContainerDetails details = co_await parts_.index.require(std::move(place_id), deadline);
  co_await parts_.containers.connect(details, deadline);  // disconnected by hand, it would run and be unreachable
  if (details.status == ContainerStatus::paused) {
    co_await parts_.context.engine.unpauseContainer(details.id, deadline);
  } else {
    co_await parts_.containers.start(details.id, deadline);
  }
  faultPoint("docker.start.after");
}

awaitable<void> DockerProvider::stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  progress.step(Step::StopContainer);
  faultPoint("docker.stop.before");
  // A stop right after a start may reach runc before it has become the program: it ends with a code of its own.
  if (auto container = co_await parts_.index.find(place_id, deadline)) parts_.index.expectStop(*container);
  auto stop = [&](std::string container) { return parts_.context.engine.stopContainer(std::move(container), grace, deadline); };
  auto stopped = co_await parts_.index.withContainer(place_id, stop, deadline);
  if (!stopped) {
    parts_.index.expectNoStop(place_id);
    throw stopped.error().error;
  }
  faultPoint("docker.stop.after");
}

awaitable<AllocationEffect> DockerProvider::allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) {
  engine::Client& engine = parts_.context.engine;
  co_await engine.connect(deadline);
  checkResources(resources, engine.facts());
  ContainerDetails details = co_await parts_.index.require(place_id, deadline);
  // The storage's size is in the labels, and the Engine reads 0 as "unchanged": both need a new container.
  bool live = sameStorage(resources.storage, details.instance.resources.storage);
  if (resources.memory.min == 0 && details.instance.resources.memory.min != 0) live = false;
  faultPoint("docker.allocate.before");
  auto update = [&](std::string container) { return engine.updateContainer(std::move(container), resourceLimits(resources), deadline); };
  auto updated = co_await parts_.index.withContainer(place_id, update, deadline);
  if (!updated && updated.error().reason == Refusal::Unsupported) co_return AllocationEffect::NeedsRestart;
  if (!updated && updated.error().reason == Refusal::BelowUsage) {
    const Error& error = updated.error().error;
    throw Error(
        ErrorCode::Unprocessable,
        format("The workspace uses more memory than the {} MiB that it would be limited to. Stop something in it first, or restart it.",
               resources.memory.max))
        .withCause(error.cause())
        .withUpstream(UpstreamFacts(error.upstream()));
  }
  orThrow(std::move(updated));
  faultPoint("docker.allocate.after");
  parts_.index.noteChanged(details.id);
  co_return live ? AllocationEffect::Live : AllocationEffect::NeedsRestart;
}

awaitable<AllocationEffect> DockerProvider::configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  ContainerDetails details = co_await parts_.index.require(place_id, deadline);
  InstanceSpec spec{place_id, details.instance.name, details.instance.owner, {}, {}, {}};
  spec.config.network = std::move(network);
  checkNetwork(spec, config());
  NetworkPlan plan = planNetwork(spec, config(), parts_.context.swarmId);
  std::set<std::int64_t> wanted(spec.config.network.exposedPorts.begin(), spec.config.network.exposedPorts.end());
  bool same = wanted == details.exposedPorts && plan.name == details.network && plan.internal == details.internal;
  // An agent that does not start held would run programs at its next start before the rules stand.
  same = same && (details.startsHeld || parts_.egress.policyFor(spec.config.network) == EgressPolicy::open);
  if (!same) co_return AllocationEffect::NeedsRestart;
  if (details.startsHeld && details.status == ContainerStatus::running)
    co_await parts_.egress.setRules(place_id, spec.config.network, deadline);
  co_return AllocationEffect::Live;
}

awaitable<CommandResult> DockerProvider::executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                                        Deadline deadline) {
  if (command.empty()) throw Error(ErrorCode::InvalidArgument, "There is no command to run.").withField("/command", "must not be empty");
  co_return co_await runCommand(parts_, std::move(place_id), std::move(command), std::move(stdin_text), deadline);
}

// Reading

awaitable<std::optional<ProviderInstance>> DockerProvider::getInstance(PlaceId place_id, Deadline deadline) {
  auto details = co_await parts_.index.inspectInstance(std::move(place_id), deadline);
  if (!details) co_return std::nullopt;
  co_return std::move(details->instance);
}

awaitable<InstanceList> DockerProvider::listInstances(InstanceFilter filter, Deadline deadline) {
  using Events = ContainerIndex::Events;
  InstanceList list;
  std::set<std::string> images;
  std::vector<ContainerRef> found = co_await parts_.index.list(filter.placeId.value_or(PlaceId()), deadline);
  std::set<PlaceId> seen;
  for (const ContainerRef& ref : found) {
    if (!seen.insert(ref.placeId).second) continue;  // in the order of the list, the first is the current one
    auto details = co_await parts_.index.recall(ref, events_.connected() ? Events::Followed : Events::Lost, deadline);
    if (!details) continue;
    images.insert(details->imageName);
    if (filter.admits(details->instance)) list.instances.push_back(std::move(details->instance));
  }
  images.erase("");
  if (!filter.placeId) co_await parts_.images.learnIds(std::move(images), deadline);
  if (!filter.placeId) co_await parts_.egress.removeLeftovers(deadline);
  co_return list;
}

awaitable<NetworkInfo> DockerProvider::getNetworkInfo(PlaceId place_id, Deadline deadline) {
  ContainerDetails details = co_await parts_.index.require(std::move(place_id), deadline);
  co_return std::move(details.instance.network);
}

awaitable<AgentEndpoint> DockerProvider::agentEndpoint(PlaceId place_id, Deadline deadline) {
  co_return agentEndpointOf(co_await parts_.index.require(std::move(place_id), deadline), config());
}

// The Engine itself

ProviderCapabilities DockerProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = true;
  capabilities.enforcesStorage = false;
  capabilities.networkPerOwner = config().networkName.empty() && config().isolation == Isolation::owner;
  capabilities.limitsEgress = !config().workspaceImage.empty() && parts_.egress.works();
  capabilities.maxInstancesPerUser = config().maxInstancesPerUser;
  capabilities.supportedRegions = {config().name.empty() ? std::string(kUnnamedHost) : config().name};
  ResourceConfig& max = capabilities.maxResourcesPerInstance;
  if (client().connected()) {
    const engine::Facts& facts = client().facts();
    capabilities.supportsLiveResize = !facts.isPodman;
    max.cpu = {static_cast<double>(facts.cpus), std::int64_t{1000} * facts.cpus};
    max.memory = {0, facts.memoryBytes / kMib};
  }
  return capabilities;
}

ProviderHealthReport DockerProvider::health() const {
  const std::string endpoint = toString(client().endpoint());
  if (events_.connected()) {
    return {ProviderHealth::healthy, format("Docker Engine {} at {}", client().facts().engineVersion, endpoint)};
  }
  const std::string& why = events_.trouble();
  return {ProviderHealth::unavailable, why.empty() ? format("not connected to {} yet", endpoint) : why};
}

UsedTotal DockerProvider::cpuTotal() const { return {0, client().connected() ? static_cast<double>(client().facts().cpus) : 0}; }

UsedTotal DockerProvider::memoryTotal() const {
  return {0, client().connected() ? static_cast<double>(client().facts().memoryBytes) / static_cast<double>(kMib) : 0};
}

awaitable<void> DockerProvider::open(ProviderEventSink sink) {
  const engine::Endpoint& endpoint = parts_.context.engine.endpoint();
  if (const std::string exposure = engine::exposureOf(endpoint); !exposure.empty())
    log::warning("the Docker Engine is not protected", {{"engine", toString(endpoint)}, {"reason", exposure}});
  return events_.open(std::move(sink));
}

awaitable<std::vector<ValidationCheck>> DockerProvider::validate(Deadline deadline) {
  engine::Client& engine = parts_.context.engine;
  std::vector<ValidationCheck> checks;
  auto ping = [&]() -> awaitable<std::string> {
    co_await engine.ping(deadline);
    co_return toString(engine.endpoint()) + " responds";
  };
  checks.push_back(co_await runCheck("endpoint", config().isCandidate, ping()));
  if (!checks.back().ok) co_return checks;
  auto version = [&]() -> awaitable<std::string> {
    co_await engine.connect(deadline);
    co_return format("Docker Engine {}, API {}", engine.facts().engineVersion, toString(engine.facts().api));
  };
  checks.push_back(co_await runCheck("api version", config().isCandidate, version()));
  if (!checks.back().ok) co_return checks;
  const engine::Facts& facts = engine.facts();
  checks.push_back(
      {"machine", true, format("{} cores, {} MiB of memory, cgroup v{}", facts.cpus, facts.memoryBytes / kMib, facts.cgroupVersion)});
  if (wantsTls(config()) && !config().isCandidate) checks.push_back(agentsCheck(config(), co_await parts_.index.list({}, deadline)));
  if (const std::string exposure = engine::exposureOf(engine.endpoint()); !exposure.empty())
    checks.push_back({"access", true, "warning: " + exposure});
  checks.push_back(hardeningCheck(config(), facts));
  checks.push_back(
      {"storage sizes", true,
       format("the volume driver \"{}\": sizes of storages are not enforced, usage is shown against them", config().volumeDriver)});
  const std::string& image = config().workspaceImage;
  if (image.empty()) co_return checks;
  auto obtainable = [&]() -> awaitable<std::string> {
    PlacementPreview preview;
    co_await parts_.images.preview(image, preview, deadline);
    if (!preview.imageFound) throw Error(ErrorCode::Unprocessable, preview.imageDetail);
    co_return preview.imageDetail;
  };
  checks.push_back(co_await runCheck("image " + image, config().isCandidate, obtainable()));
  if (config().isCandidate || config().looksOnly || !checks.back().ok) co_return checks;  // a candidate is only read from
  checks.push_back(co_await runCheck("egress policies", config().isCandidate, parts_.egress.rehearse(deadline)));
  ValidationCheck& egress = checks.back();
  if (!egress.ok) egress.detail = "only the policy open is possible here. " + egress.detail;
  egress.ok = egress.ok || config().egress == EgressPolicy::open;  // others are refused when they are requested
  co_return checks;
}

}  // namespace swarm::docker
