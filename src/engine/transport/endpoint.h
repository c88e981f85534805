// Where a Docker Engine is: a unix socket, TCP, TCP with TLS, or a machine that is reached by ssh.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "net/connect.h"

namespace swarm::engine {

/// Files in PEM for a TCP endpoint with TLS. Empty ca: the system's trust store. Certificate and key: our client certificate (mTLS).
struct Tls {
  bool enabled = false;
  std::filesystem::path ca;
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct Endpoint {
  std::filesystem::path socketPath = "/var/run/docker.sock";  ///< used when `host` is empty
  std::string host;                                           ///< a TCP endpoint's host name or address
  std::uint16_t port = 0;                                     ///< 0: 2376 with TLS, 2375 without; by ssh, as ssh's configuration says
  Tls tls;
  bool overSsh = false;  ///< host and port are of an SSH server on the Engine's machine
  std::string sshUser;   ///< empty: as ssh's configuration says
};

std::uint16_t portOf(const Endpoint& endpoint);
std::string toString(const Endpoint& endpoint);  ///< "unix:///var/run/docker.sock", "tcp://host:2376", "ssh://user@host"
bool isLocal(const Endpoint& endpoint);          ///< the Engine shares our network namespace: its loopback is ours
/// Throws Error(InvalidArgument) for files of TLS that cannot be used.
net::Connector connectorTo(const Endpoint& endpoint);

}  // namespace swarm::engine
