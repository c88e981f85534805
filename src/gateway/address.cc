#include "gateway/address.h"

#include <charconv>

#include "base/error.h"
#include "base/format.h"

namespace swarm::gateway {

std::string_view PublicAddress::portSuffix(const net::RequestHead& head) const {
  return isLocal() ? head.hostPort.substr(head.host.size()) : std::string_view(suffix_);
}

std::string PublicAddress::originOf(std::string_view host, const net::RequestHead& head) const {
  return std::string(scheme).append("://").append(host).append(portSuffix(head));
}

std::string PublicAddress::instanceUrlPattern() const { return format("{}://{{name}}.{}{}/", scheme, hosts.instanceDomain, suffix_); }

PublicAddress makePublicAddress(HostScheme hosts, std::string_view public_url) {
  PublicAddress result;
  const auto colon = public_url.find("://");
  result.scheme = std::string(public_url.substr(0, colon));
  if (colon == std::string_view::npos || (result.scheme != "http" && result.scheme != "https"))
    throw Error(ErrorCode::InvalidArgument, format("The public URL \"{}\" must begin with http:// or https://.", public_url));
  auto authority = public_url.substr(colon + 3);
  authority = authority.substr(0, authority.find('/'));
  const auto port_at = authority.ends_with(']') ? std::string_view::npos : authority.rfind(':');
  const std::string_view usual = result.isSecure() ? "443" : "80";
  result.port = std::string(port_at == std::string_view::npos ? usual : authority.substr(port_at + 1));
  if (!net::equalsIgnoreCase(authority.substr(0, port_at), hosts.baseHost))
    throw Error(ErrorCode::InvalidArgument, format("The public URL \"{}\" has another host than baseDomain \"{}\"; give one of them only.",
                                                   public_url, hosts.baseHost));
  unsigned number = 0;
  const auto parsed = std::from_chars(result.port.data(), result.port.data() + result.port.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != result.port.data() + result.port.size() || number > 65535)
    throw Error(ErrorCode::InvalidArgument, format("The port in the public URL \"{}\" is not a port number.", public_url));
  if (result.port != usual) result.suffix_ = ":" + result.port;
  result.hosts = std::move(hosts);
  return result;
}

}  // namespace swarm::gateway
