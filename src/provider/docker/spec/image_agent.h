// The agent in an image: what it supports, and what a container needs for it. Pure.
#pragma once

#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {

/// What an image's agent supports.
struct ImageAgent {
  bool isEntryPoint = false;  ///< it is the first process of a container
  AgentCredential credential = AgentCredential::PublicKey;
  bool servesTls = false;
};
/// What is known of an image.
struct ImageFacts {
  std::vector<std::string> volumes;  ///< the folders that it declares as VOLUME
  ImageAgent agent;
  std::string id;
};
ImageFacts readImage(const json::value& inspection);

/// Throws Error(Unprocessable) for an image whose agent lacks what the request or the configuration requires: to be held, TLS, or settings
/// that need no file, which the Engine cannot write to a read-only root.
void requireAgentFor(const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config);
/// Whether connections to agents leave this machine, or the configuration requires TLS all the same (docs/adr/0019-tls-to-agents.md).
bool wantsTls(const DockerProviderConfig& config);
/// Whether a container that is made of this has an agent with TLS.
bool getsTls(const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config);
/// Adds to a container's body what the agent in its image needs. Outside kLabelSpec: the same spec with the same agent's settings is the
/// same container for every image.
void fitToAgent(json::object& body, const InstanceSpec& spec, const ImageAgent& agent, const DockerProviderConfig& config);
/// An archive with the agent's file at its path (kConfigPath, root 0400).
std::string agentFileArchive(const Secret& agent_file);

}  // namespace swarm::docker
