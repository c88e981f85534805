// Where a port is listened on that neither loopback address answers: a program may have chosen the container's own address alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::agent {

/// The addresses of a table in the form of /proc/net/tcp or tcp6 that have a listener at `port`; loopback, and "any", which loopback
/// reaches, are left out. Pure.
std::vector<std::string> listenersIn(std::string_view table, std::uint16_t port);

/// The same for this network namespace.
std::vector<std::string> listenersOf(std::uint16_t port);

}  // namespace swarm::agent
