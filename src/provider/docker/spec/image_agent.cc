#include "provider/docker/spec/image_agent.h"

#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "engine/format/tar.h"
#include "protocol/agent.h"
#include "provider/docker/egress/egress_rules.h"
#include "provider/docker/spec/hardening.h"

namespace swarm::docker {
namespace {

// Of images (images/workspace/versions.sh). Without it, an image was made by others, perhaps with an agent of that time.
constexpr std::string_view kLabelImageVersion = "swarm.image.version";
constexpr std::string_view kImageOfSecrets = "1";  // its agent knows no public keys
constexpr int kImageWithTls = 3;                   // and later ones

/// The settings of an agent with TLS.
std::string settingsWithKey(const InstanceSpec& spec) {
  json::object settings = parseOrNull(spec.agentBoot).as_object();
  settings["tlsKey"] = toHex(spec.agentTlsKey.reveal());
  return json::serialize(settings);
}

}  // namespace

ImageFacts readImage(const json::value& inspection) {
  ImageFacts facts;
  facts.id = stringAt(inspection, "Id");
  if (const json::object* declared = objectAt(inspection, "Config.Volumes")) {
    for (const auto& entry : *declared) facts.volumes.emplace_back(entry.key());
  }
  std::ranges::sort(facts.volumes);
  std::vector<std::string> entry_point = textsAt(inspection, "Config.Entrypoint");
  facts.agent.isEntryPoint = !entry_point.empty() && entry_point.front().ends_with("/swarm-agent");
  const std::string version = stringIn(inspection, "Config.Labels", kLabelImageVersion);
  if (version == kImageOfSecrets) facts.agent.credential = AgentCredential::Secret;
  facts.agent.servesTls = parseNumber<int>(version).value_or(0) >= kImageWithTls;
  return facts;
}

void requireAgentFor(const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config) {
  const bool can_be_held = agent.isEntryPoint && agent.credential == AgentCredential::PublicKey;
  if (!can_be_held && strictestOf(egressLimits(spec.config.network, config)) != EgressPolicy::open)
    throw Error(ErrorCode::Unprocessable, format("The image {} does not begin with a swarm-agent that waits until the rules of its network "
                                                 "stand. Use an image that is built from the workspace image, or the egress policy open.",
                                                 spec.config.image))
        .withField("/network/egress/policy", "is not supported by the image");
  if (config.agentTls == AgentTls::required && !agent.servesTls)
    throw Error(ErrorCode::Unprocessable,
                format("The image {} has an agent of an earlier version, which does not support TLS, and agentTls "
                       "of [docker] requires it. Build the image again (images/workspace/build).",
                       spec.config.image))
        .withField("/image", "has an agent without TLS");
  if (agent.credential == AgentCredential::PublicKey || spec.agentFile.empty()) return;
  if (!effectiveSecurity(spec.config.security, config).readOnlyRoot) return;
  throw Error(ErrorCode::Unprocessable, format("The image {} has an agent of an earlier version, which does not support a read-only root. "
                                               "Build the image again (images/workspace/build).",
                                               spec.config.image))
      .withField("/security/readOnlyRoot", "is not supported by the image's agent");
}

bool wantsTls(const DockerProviderConfig& config) { return config.agentTls == AgentTls::required || !engine::isLocal(config); }

bool getsTls(const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config) {
  return wantsTls(config) && agent.servesTls && !spec.agentBoot.empty() && !spec.agentTlsKey.empty();
}

void fitToAgent(json::object& body, const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config) {
  // The agent runs VS Code as the workspace's user, and needs root for that: an image may end with a USER for the shells of its builder.
  if (agent.isEntryPoint) body["User"] = "0:0";
  json::object& labels = body["Labels"].as_object();
  // A container inherits the labels of its image that it does not set.
  for (std::string_view ours : {kLabelRun, kLabelMetadata, kLabelAgent, kLabelAgentTls, kLabelHelper}) labels.emplace(ours, "");
  if (agent.credential == AgentCredential::Secret || spec.agentBoot.empty()) return;
  const bool has_tls = getsTls(spec, agent, config);
  const std::string settings = has_tls ? settingsWithKey(spec) : spec.agentBoot;
  body["Env"].as_array().push_back(json::string(format("{}={}", agent::kSettingsVariable, settings)));
  labels[kLabelAgent] = kPublicKeyAgent;
  if (has_tls) labels[kLabelAgentTls] = "true";
}

std::string agentFileArchive(const Secret& agent_file) {
  engine::TarWriter tar;
  const std::filesystem::path path = std::filesystem::path(agent::kConfigPath).relative_path();
  tar.addFolder(path.parent_path().string(), 0755);
  tar.addFile(path.string(), 0400, agent_file.reveal());
  return std::move(tar).finish();
}

}  // namespace swarm::docker
