#include "auth/public_address.h"

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

std::string HostScheme::hostOf(std::string_view instance, std::uint16_t port) const {
  std::string host;
  if (port != 0) host.append(std::to_string(port)).append(isLocal() ? "." : "--");
  return host.append(instance).append(".").append(instanceDomain);
}

PublicAddress::PublicAddress() : PublicAddress({}, {.host = HostScheme{}.baseHost, .port = 7420}) {}

PublicAddress::PublicAddress(HostScheme hosts, net::Url url) : hosts_(std::move(hosts)), url_(std::move(url)) {
  if (!net::equalsIgnoreCase(url_.host, hosts_.baseHost))
    throw Error(ErrorCode::InvalidArgument, format("The public URL \"{}\" has another host than baseDomain \"{}\"; give one of them only.",
                                                   url_.origin(), hosts_.baseHost));
  url_.host = hosts_.baseHost;
  port_ = std::to_string(url_.port);
  suffix_ = url_.portSuffix();
}

std::string_view PublicAddress::portSuffix(const net::RequestHead& head) const {
  return isLocal() ? head.hostPort.substr(head.host.size()) : std::string_view(suffix_);
}

std::string_view PublicAddress::portOf(const net::RequestHead& head) const {
  return isLocal() && head.hostPort.size() > head.host.size() + 1 ? head.hostPort.substr(head.host.size() + 1) : std::string_view(port_);
}

std::string PublicAddress::originOf(std::string_view host, const net::RequestHead& head) const {
  return std::string(scheme()).append("://").append(host).append(portSuffix(head));
}

std::string PublicAddress::publicOriginOf(std::string_view host) const { return format("{}://{}{}", scheme(), host, suffix_); }

std::string PublicAddress::instanceUrlPattern() const { return format("{}://{{name}}.{}{}/", scheme(), hosts_.instanceDomain, suffix_); }

}  // namespace swarm
