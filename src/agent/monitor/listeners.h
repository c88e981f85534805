// Finds listeners of a port that are not reachable over loopback: a program may have bound the container's own address only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::agent {

/// The addresses with a listener at `port` in a table in the format of /proc/net/tcp or tcp6; excludes loopback, and "any", which loopback
/// reaches. Pure.
std::vector<std::string> listenersIn(std::string_view table, std::uint16_t port);

/// The same for this network namespace.
std::vector<std::string> listenersOf(std::uint16_t port);

}  // namespace swarm::agent
