// PublicAddress: how browsers reach the server, its base host and its instances. The program makes it once; gateway, API and cookies use
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http/http.h"
#include "net/url.h"

namespace swarm {

/// The host names of the server. On this machine browsers treat `NAME.localhost` as a site of its own, so ports are below it:
/// `PORT.NAME.localhost`. On a domain, `PORT--NAME.` needs only one wildcard certificate; `PORT.NAME.` is also accepted.
struct HostScheme {
  std::string baseHost = "swarm.localhost";  ///< API, sign-in, dashboard: lower case, without port
  std::string instanceDomain = "localhost";  ///< instances are <name>.<instanceDomain>

  bool isLocal() const { return instanceDomain == "localhost" || instanceDomain.ends_with(".localhost"); }
  /// The host of an instance's VS Code (`port` 0), or of one of its ports.
  std::string hostOf(std::string_view instance, std::uint16_t port) const;
};

/// Immutable.
class PublicAddress {
 public:
  PublicAddress();  ///< http://swarm.localhost:7420
  /// `url`: of the base host. Throws Error(InvalidArgument) when it names another host.
  PublicAddress(HostScheme hosts, net::Url url);

  const HostScheme& hosts() const { return hosts_; }
  std::string_view scheme() const { return url_.scheme(); }
  bool isSecure() const { return url_.tls; }
  bool isLocal() const { return hosts_.isLocal(); }
  /// Whether browsers are instructed to use https alone from now on. Not for *.localhost: that would include servers on other ports.
  bool requiresHttps() const { return isSecure() && !isLocal(); }
  /// Whether cookies are marked Secure. Browsers treat *.localhost as a secure context also over plain http.
  bool hasSecureCookies() const { return isSecure() || hosts_.baseHost.ends_with(".localhost"); }
  /// "swarm.localhost:7420", always with the port: the names of cookies depend on it.
  std::string hostAndPort() const { return hosts_.baseHost + ":" + port_; }
  /// "http://swarm.localhost:7420"
  std::string origin() const { return url_.origin(); }
  /// The same for the response to a request. On this machine the port is the one that the browser used: it may be a forwarded port.
  std::string baseOrigin(const net::RequestHead& head) const { return originOf(hosts_.baseHost, head); }
  /// "http://8080.ws.localhost:7420" for a host below ours.
  std::string originOf(std::string_view host, const net::RequestHead& head) const;
  /// The same with the public port: the request came by another way.
  std::string publicOriginOf(std::string_view host) const;
  /// Of that port, with its colon; empty for the scheme's default port.
  std::string_view portSuffix(const net::RequestHead& head) const;
  /// The same in decimal, also where it is the default port.
  std::string_view portOf(const net::RequestHead& head) const;
  /// "https://{name}.swarm.example.com/"
  std::string instanceUrlPattern() const;

 private:
  HostScheme hosts_;
  net::Url url_;
  std::string port_;    ///< the public one, decimal
  std::string suffix_;  ///< with its colon; empty for the scheme's default port
};

}  // namespace swarm
