// TLS to one agent.
#pragma once

#include <string>

#include "net/connect.h"

namespace swarm::agent {

/// The same connections with TLS, to the agent that has this key (Ed25519, raw bytes) and to no other peer: nothing is sent without TLS.
net::Connector secured(net::Connector plain, std::string public_key);

}  // namespace swarm::agent
