// The addresses of an identity provider, from its discovery document (OpenID Connect Discovery 1.0). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/url.h"
#include "oidc/provider/provider_config.h"

namespace swarm::oidc {

/// "localhost", "NAME.localhost", 127.0.0.0/8 and ::1
bool isLoopback(std::string_view host);

/// How the server proves at the token endpoint who it is.
enum class ClientProof { Basic, Post };

struct Endpoints {
  net::Url authorization;  ///< for the browser, as is `endSession`
  std::optional<net::Url> endSession;
  net::Url token;
  net::Url keys;
  ClientProof proof = ClientProof::Basic;
  bool namesIssuer = false;  ///< a response to the browser must have "iss" (RFC 9207)
};

/// The URL under which the document is, as the issuer defines it.
net::Url discoveryUrl(const ProviderConfig& config);

/// Throws Error(UpstreamFailed): another issuer, a missing address, or one that the configuration does not allow. The server only sends
/// requests to the issuer's host and to those in endpointHosts, over https (http for an issuer on this machine): otherwise a provider
/// could let it call addresses of the server's own network.
Endpoints readEndpoints(std::string_view document, const ProviderConfig& config);

}  // namespace swarm::oidc
