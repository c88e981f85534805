// http and https URLs: the only parser for them, on Boost.URL, which no other file uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/connect.h"

namespace swarm::net {

struct Url {
  bool tls = false;  ///< https
  std::string host;  ///< as written, without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string target{};  ///< path and query as written; may be empty

  std::string_view scheme() const { return tls ? "https" : "http"; }
  HostPort address() const { return {host, port}; }
  std::string portSuffix() const;  ///< ":8080"; empty for the scheme's own port
  /// In the format of the Host header: "host:port", without the scheme's own port; an IPv6 address in brackets.
  std::string authority() const;
  std::string origin() const { return std::string(scheme()) + "://" + authority(); }
};

/// Empty for another scheme, and for a URL with user information, with a fragment, without a host or with port 0.
std::optional<Url> parseUrl(std::string_view text);

/// Parts of the parsed text.
struct OriginView {
  std::string_view scheme;  ///< "http" or "https"
  std::string_view host;    ///< with the brackets of an IPv6 address
  std::string_view port;    ///< with its colon, as written; may be empty
};

/// The value of Origin, or the origin of the URL in Referer: the part after the host is ignored. Allocates no memory. Empty for "null",
/// another scheme, an upper-case scheme, and user information.
std::optional<OriginView> parseOrigin(std::string_view text);

}  // namespace swarm::net
