// Internal: host names to addresses. In a file of its own because getaddrinfo can't be linked statically without glibc's shared parts.
#pragma once

#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// Addresses of a literal or of localhost (RFC 6761: `localhost` and `*.localhost` are loopback, without a DNS query); else empty.
std::vector<SocketAddress> literalAddresses(const std::string& host, std::uint16_t port);

/// Calls the system's resolver on a thread of its own. Throws Error(Unavailable|DeadlineExceeded).
boost::asio::awaitable<std::vector<SocketAddress>> resolveName(std::string host, std::uint16_t port, Deadline deadline);

}  // namespace swarm::net
