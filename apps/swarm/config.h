// The server's configuration: defaults, then swarm.toml, then the environment, then flags.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "auth/auth.h"
#include "auth/client_address.h"
#include "auth/permissions.h"
#include "base/diagnostics/log.h"
#include "cli/cli.h"
#include "controller/limits/policy.h"
#include "model/types/instance_config.h"
#include "model/types/provider_type.h"
#include "net/url.h"
#include "oidc/provider/provider_config.h"
#include "provider/provider_setup.h"

namespace swarm {

/// TLS of the server's own listener.
struct TlsConfig {
  std::filesystem::path certificateFile;  ///< empty: plain HTTP
  std::filesystem::path keyFile;
  std::string redirectListen;  ///< address and port that send browsers to https; empty: none
  bool isOn() const { return !certificateFile.empty(); }
};

/// The SSH listener.
struct SshConfig {
  std::string listen;                 ///< address and port; empty: none
  std::filesystem::path programFile;  ///< swarm-ssh; empty: the one beside this program
  SshTrust trust;
};

struct ServerConfig {
  std::string listen = "127.0.0.1:7420";
  std::string baseDomain;             ///< host of API and dashboard; empty: that of publicUrl, else swarm.localhost
  std::string instanceDomain;         ///< instances are <name>.<instanceDomain>; empty: localhost for swarm.localhost, else baseDomain
  std::optional<net::Url> publicUrl;  ///< URL of the base host as seen by browsers; empty: http(s)://<baseDomain>:<port>
  TlsConfig tls;
  SshConfig ssh;
  std::filesystem::path dataDir;         ///< the store; created with mode 0700
  std::filesystem::path secretsKeyFile;  ///< opens the secrets in the store; empty: secrets.key in dataDir
  std::filesystem::path credentialsDir;  ///< where the CLI finds its token
  bool insecureHttp = false;             ///< allow serving plain HTTP to other machines
  int threads = 0;                       ///< loops that carry connections; 0: one per core, at most 4
  log::Level logLevel = log::Level::Info;
  log::Style logStyle = log::Style::Text;
  std::string workspaceImage = "swarm-workspace:latest";
  std::vector<std::string> allowedImages;  ///< patterns of the images that users may use beside the workspace image
  std::string instanceNamePrefix = "ws-";
  ResourceConfig defaultResources;
  std::map<std::string, std::string> tags;
  int nameHoldDays = 30;          ///< how long a deleted instance's name stays reserved for its owner
  int maxTokenDays = 365;         ///< longest life of an access token
  int tokenKeyDays = 90;          ///< age at which the key that signs API tokens is replaced
  TrustedProxies trustedProxies;  ///< proxies whose X-Forwarded-* headers are trusted
  AccessRules access;
  std::vector<oidc::ProviderConfig> identityProviders;
  AuditRules audit;
  std::chrono::seconds usageInterval{60};  ///< between samples of what an instance uses; 0: none are taken
  LimitsConfig limits;
  std::vector<std::string>
      validateAddresses;  ///< host:port that a provider's configuration in a request may contain, in addition to the configured ones
  std::vector<ProviderSetupPtr> providers;  ///< one of each kind, enabled or not
  PlacementPolicy placement = PlacementPolicy::fixed;
  std::optional<ProviderType> defaultProvider;
  bool fakeProvider = false;  ///< the fake provider instead of the others, for benchmarks
};

/// Throws Error(InvalidArgument) with file, line, key and the expected value.
ServerConfig loadServerConfig(const cli::ServeFlags& flags);

}  // namespace swarm
