// How the server gets a provider: its configuration is read, and the provider is made from it. Each provider exports one ProviderSetup;
// apps/swarm/providers.cc lists them.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/connect.h"
#include "provider/candidate.h"
#include "provider/config_section.h"
#include "provider/provider.h"
#include "provider/variables.h"

namespace swarm {

/// What a provider uses of the rest of the server.
struct ProviderContext {
  std::string swarmId;                      ///< marks everything that is created, so that two swarms can share one endpoint
  std::map<std::string, std::string> tags;  ///< labels or metadata on everything that is created
  std::string workspaceImage;               ///< as the server's machine knows it
  const Clock& clock;
  std::vector<std::string> allowedImages{};  ///< at every provider
  bool looksOnly = false;                    ///< validate() makes nothing at the endpoint
};

class ProviderSetup {
 public:
  virtual ~ProviderSetup() = default;
  /// Its name is that of the section of swarm.toml.
  virtual ProviderType type() const = 0;

  virtual void readSection(ConfigSection section) = 0;
  /// After the section.
  virtual void readVariables(const Variables& variables) = 0;
  /// Null: not enabled. Throws Error(InvalidArgument) for an invalid configuration.
  virtual ProviderPtr make(const ProviderContext& context) const = 0;

  /// The endpoints that every request may name: the configured ones, and public ones.
  virtual std::vector<net::HostPort> endpoints() const = 0;
  virtual CandidateForm candidateForm() const = 0;
  /// Makes a provider from a configuration in a request, for a check alone. Throws Error(InvalidArgument) for an invalid one,
  /// Error(Unprocessable) for an endpoint that is not allowed.
  virtual ProviderPtr makeCandidate(const boost::json::object& body, Candidate& candidate, const ProviderContext& context) const = 0;
};

using ProviderSetupPtr = std::unique_ptr<ProviderSetup>;

}  // namespace swarm
