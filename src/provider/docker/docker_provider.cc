// Construction, health, capabilities and validation.
#include "provider/docker/docker_provider.h"

#include "base/text/format.h"
#include "model/rules/validation.h"
#include "provider/candidate.h"
#include "provider/docker/container/request_policy.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm {

ProviderPtr makeDockerProvider(DockerProviderConfig config, std::string swarm_id) {
  if (swarm_id.empty()) throw Error(ErrorCode::InvalidArgument, "A Docker provider needs the swarm's id.");
  docker::checkConfig(config);
  return std::make_unique<docker::DockerProvider>(std::move(config), std::move(swarm_id));
}

}  // namespace swarm

namespace swarm::docker {
namespace {

/// Runs one validation step; its error becomes the check's detail.
template <typename Work>
awaitable<ValidationCheck> check(std::string name, bool is_candidate, Work work) {
  ValidationCheck result{std::move(name), false, {}};
  try {
    result.detail = co_await work();
    result.ok = true;
  } catch (const Error& error) {
    result.detail = failureDetail(error, is_candidate);
  }
  co_return result;
}

}  // namespace

void checkConfig(const DockerProviderConfig& config) {
  if (!config.name.empty() && !isDnsLabel(config.name)) {
    throw Error(ErrorCode::InvalidArgument, format("\"{}\" is no name for a Docker host: use a-z, 0-9 and dashes inside.", config.name));
  }
  if (config.tls.certificate.empty() == config.tls.key.empty()) return;
  throw Error(ErrorCode::InvalidArgument,
              format("[docker{}.tls] needs certificate and key together.", config.name.empty() ? std::string() : ".hosts." + config.name));
}

DockerProvider::DockerProvider(DockerProviderConfig config, std::string swarm_id)
    : engine_(std::move(config)), swarm_id_(std::move(swarm_id)) {}

DockerProvider::~DockerProvider() = default;

ProviderCapabilities DockerProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = true;
  capabilities.enforcesStorage = false;
  capabilities.maxInstancesPerUser = engine_.config().maxInstancesPerUser;
  if (!engine_.config().name.empty()) capabilities.supportedRegions = {engine_.config().name};
  ResourceConfig& most = capabilities.maxResourcesPerInstance;
  if (engine_.connected()) {
    const EngineFacts& facts = engine_.facts();
    most.cpu = {static_cast<double>(facts.cpus), std::int64_t{1000} * facts.cpus};
    most.memory = {0, facts.memoryBytes / (1024 * 1024)};
  }
  return capabilities;
}

void DockerProvider::checkRequest(const InstanceSpec& spec) const {
  checkPolicy(spec.config, engine_.config());
  if (engine_.connected()) checkSpec(spec, engine_);
}

ProviderHealthReport DockerProvider::health() const {
  if (engine_events_.connected())
    return {ProviderHealth::healthy, format("Docker Engine {} at {}", engine_.facts().engineVersion, endpointText(engine_.config()))};
  std::string why = engine_events_.trouble();
  if (why.empty()) why = format("not connected to {} yet", endpointText(engine_.config()));
  return {ProviderHealth::unavailable, why};
}

UsedTotal DockerProvider::cpuTotal() const { return {0, engine_.connected() ? static_cast<double>(engine_.facts().cpus) : 0}; }

UsedTotal DockerProvider::memoryTotal() const {
  return {0, engine_.connected() ? static_cast<double>(engine_.facts().memoryBytes) / static_cast<double>(kMib) : 0};
}

awaitable<std::vector<ValidationCheck>> DockerProvider::validate(Deadline deadline) {
  const bool is_candidate = engine_.config().isCandidate;
  std::vector<ValidationCheck> checks;
  auto ping = [&]() -> awaitable<std::string> {
    co_await engine_.ping(deadline);
    co_return endpointText(engine_.config()) + " answers";
  };
  checks.push_back(co_await check("endpoint", is_candidate, ping));
  if (!checks.back().ok) co_return checks;
  auto version = [&]() -> awaitable<std::string> {
    co_await engine_.connect(deadline);
    const EngineFacts& facts = engine_.facts();
    co_return format("Docker Engine {}, API {}", facts.engineVersion, toString(facts.api));
  };
  checks.push_back(co_await check("api version", is_candidate, version));
  if (!checks.back().ok) co_return checks;
  auto machine = [&]() -> awaitable<std::string> {
    const EngineFacts& facts = engine_.facts();
    co_return format("{} cores, {} MiB of memory, cgroup v{}", facts.cpus, facts.memoryBytes / (1024 * 1024), facts.cgroupVersion);
  };
  checks.push_back(co_await check("machine", is_candidate, machine));
  auto storage = [&]() -> awaitable<std::string> {
    co_return format("the volume driver \"{}\": sizes of storages are not enforced, usage is shown against them",
                     engine_.config().volumeDriver);
  };
  checks.push_back(co_await check("storage sizes", is_candidate, storage));
  for (const std::string& repository : engine_.config().localImages) {
    std::string image = repository + ":latest";
    auto present = [&]() -> awaitable<std::string> {
      EngineReply reply =
          co_await engine_.send({.target = "/images/" + image + "/json", .doing = "look for the image", .body = {}}, deadline);
      if (reply.status == 404) throw imageMissing(image, "", true);
      if (!reply.ok()) throw engineError(reply.status, reply.body, "look for the image");
      co_return image + " is there";
    };
    checks.push_back(co_await check("image " + image, is_candidate, present));
  }
  co_return checks;
}

}  // namespace swarm::docker
