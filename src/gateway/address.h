// PublicAddress: how browsers reach the server, its base host and its instances.
#pragma once

#include <string>
#include <string_view>

#include "gateway/host.h"
#include "net/http.h"

namespace swarm::gateway {

struct PublicAddress {
  HostScheme hosts;
  std::string scheme = "http";  ///< "http" or "https"
  std::string port = "7420";    ///< decimal

  bool isSecure() const { return scheme == "https"; }
  bool isLocal() const { return hosts.isLocal(); }
  /// "http://swarm.localhost:7420". On this machine the port is the one that the browser used: it may come through a forwarded port.
  std::string baseOrigin(const net::RequestHead& head) const { return originOf(hosts.baseHost, head); }
  /// "http://8080.ws.localhost:7420" for a host below ours.
  std::string originOf(std::string_view host, const net::RequestHead& head) const;
  /// Of the port in force, with its colon; empty for the scheme's own.
  std::string_view portSuffix(const net::RequestHead& head) const;

  /// "https://{name}.swarm.example.com/"
  std::string instanceUrlPattern() const;

 private:
  std::string suffix_;  // of `port`; empty for the scheme's own
  friend PublicAddress makePublicAddress(HostScheme hosts, std::string_view public_url);
};

/// Throws Error(InvalidArgument) when `public_url` is no http or https URL of the base host.
PublicAddress makePublicAddress(HostScheme hosts, std::string_view public_url);

}  // namespace swarm::gateway
