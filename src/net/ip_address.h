// Parses IP addresses in texts, and determines the part of an address that identifies a client.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::net {

/// Accepts "10.0.0.1", "10.0.0.1:4711", "[::1]:4711" and "::1", with surrounding blanks. "::ffff:10.0.0.1" gives the embedded IPv4
/// address, since dual-stack listeners report IPv4 peers in this form.
std::optional<boost::asio::ip::address> parseIpAddress(std::string_view text);

struct IpNetwork {
  boost::asio::ip::address address;
  int bits = 0;  ///< of the prefix

  bool contains(const boost::asio::ip::address& other) const;
};
/// "10.0.0.0/8", "fd00::/8"; an address alone is a network of one.
std::optional<IpNetwork> parseIpNetwork(std::string_view text);

/// The key of a client in limits per address: an IPv4 address, or the /64 network of an IPv6 address, since one customer owns a whole /64.
/// A text that is not an address is returned unchanged.
std::string addressGroup(std::string_view address);
/// The network from which an attacker may have all addresses: the /16 of an IPv4 address, the /32 of an IPv6 address (what a provider has).
std::string networkGroup(std::string_view address);

}  // namespace swarm::net
