// The client address of a request, when trusted proxies are in front of the server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http/http.h"
#include "net/ip_address.h"

namespace swarm {

/// The proxies whose X-Forwarded-* fields are believed: addresses and networks. Immutable, thread-safe.
class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// "10.0.0.7", "172.16.0.0/12", "fd00::/8". Throws Error(InvalidArgument).
  explicit TrustedProxies(const std::vector<std::string>& texts);

  bool empty() const { return networks_.empty(); }
  bool contains(std::string_view address) const;
  /// The peer's address, or the one that the trusted proxies report: X-Forwarded-For is read from its end, and the first address that does
  /// not belong to a trusted proxy is the client's. Everything before it was written by the client, and is ignored.
  std::string clientAddress(std::string_view peer, const net::HeaderViews& headers) const;

 private:
  std::vector<net::IpNetwork> networks_;
};

}  // namespace swarm
