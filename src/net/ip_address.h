// IP addresses as texts have them, and the part of one that a single client has.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::net {

/// Of "10.0.0.1", "10.0.0.1:4711", "[::1]:4711" and "::1", with blanks around it. "::ffff:10.0.0.1" is the IPv4 address in it, since
/// dual-stack listeners report peers so.
std::optional<boost::asio::ip::address> parseIpAddress(std::string_view text);

/// Clients of one address as limits see them: an IPv4 address, or the /64 network of an IPv6 address, all of which one customer has. A text
/// that is not an address stays as it is.
std::string addressGroup(std::string_view address);

}  // namespace swarm::net
