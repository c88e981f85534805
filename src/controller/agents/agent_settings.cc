// Agent settings: keys, mounts, setup script, git identity.
#include "controller/agents/agent_settings.h"

#include <boost/json/serialize.hpp>

#include "agent/client/secured.h"
#include "base/id.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"
#include "protocol/agent_tls.h"
#include "protocol/ed25519.h"

namespace swarm::control {
namespace {

SigningKey keyOf(const InstanceRecord& record, AgentCredential credential) {
  bool is_public = credential == AgentCredential::PublicKey;
  const Secret& hex = is_public ? record.agentKey : record.agentSecret;
  return {is_public ? TokenAlgorithm::Ed25519 : TokenAlgorithm::Hmac, Secret(fromHex(hex.reveal()).value_or(""))};
}

}  // namespace

agent::AgentTarget targetOf(const Entry& entry, AgentEndpoint endpoint) {
  agent::AgentTarget target;
  target.instanceId = entry.record.instance.id;
  target.key = keyOf(entry.record, endpoint.credential);
  if (!endpoint.tlsPlace.empty()) {
    const Secret tls_key = agent::tlsKeyOf(keyOf(entry.record, AgentCredential::PublicKey).bytes, endpoint.tlsPlace.str());
    endpoint.connect = agent::secured(std::move(endpoint.connect), ed25519::publicKeyOf(tls_key));
  }
  target.endpoint = std::move(endpoint);
  return target;
}

void addAgentSettings(const Context& context, InstanceSpec& spec, const Entry& entry, const std::string& hold) {
  boost::json::object settings{{"instanceId", entry.id().str()}};  // also at a place with another id
  boost::json::array mounts;
  for (const StorageConfig& storage : spec.config.storage) mounts.push_back(boost::json::string(storage.mountPath));
  if (!mounts.empty()) settings["mounts"] = std::move(mounts);
  EgressControl* egress = context.providers.of(entry).egress();
  const bool is_limited = egress && egress->policyFor(spec.config.network) != EgressPolicy::open;
  if (!hold.empty() || is_limited) settings["hold"] = hold.empty() ? std::string(agent::kEgressHold) : hold;
  if (!spec.config.setup.empty()) settings["setup"] = spec.config.setup;
  if (GitIdentity git = context.registry.gitIdentityOf(spec.owner); git != GitIdentity{}) settings["git"] = toJson(git);
  boost::json::object file = settings;
  file["secret"] = entry.record.agentSecret.reveal();
  spec.agentFile = Secret(boost::json::serialize(file));
  const SigningKey key = keyOf(entry.record, AgentCredential::PublicKey);
  settings["publicKey"] = toHex(verifyingKeyOf(key).bytes.reveal());
  spec.agentTlsKey = agent::tlsKeyOf(key.bytes, spec.placeId.str());
  spec.agentBoot = boost::json::serialize(settings);
}

InstanceSpec specOf(const Context& context, const Entry& entry) {
  const Instance& instance = entry.record.instance;
  InstanceSpec spec;
  spec.placeId = entry.placeId();
  spec.name = instance.config.name;
  spec.owner = instance.owner;
  spec.config = instance.config;
  for (const auto& [name, value] : context.options.environment) spec.config.env.try_emplace(name, value);
  addAgentSettings(context, spec, entry, "");
  spec.known = entry.record.external;
  spec.volumeOwner = [&registry = context.registry](const VolumeInfo& volume) { return registry.ownerOf(volume); };
  return spec;
}

}  // namespace swarm::control
