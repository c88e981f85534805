// The long-lived connections of the library: interactive commands, SSH, and local ports that forward to an instance.
#pragma once

#include <memory>

#include "client/connection.h"

namespace swarm::client {

std::unique_ptr<ExecSession> openExecSession(Connection& connection, const std::string& ref, const ExecOptions& options);
std::unique_ptr<Forward> openForward(Connection& connection, const std::string& ref, std::uint16_t remote_port, net::HostPort local);
std::unique_ptr<SshConnection> openSshConnection(Connection& connection, const std::string& ref, const std::string& public_key);

}  // namespace swarm::client
