// How a Docker Engine on another machine is reached by the system's ssh: the address as users write it, the command that opens one
// connection, and what its failures mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/transport/endpoint.h"

namespace swarm::engine {

inline constexpr std::string_view kSshScheme = "ssh://";

/// "ssh://user@host:port"; user and port may be absent. Throws Error(InvalidArgument) for everything else: nothing that ssh or a shell
/// could take for an option or a command passes. The message does not contain `url`, which may have a password in it.
Endpoint parseSshUrl(std::string_view url);
std::string sshUrl(const Endpoint& endpoint);

/// The program and its arguments. What the system's ssh_config says of the host applies, except for what would ask a person, start
/// something else or outlive the connection.
std::vector<std::string> sshArguments(const Endpoint& endpoint);
/// The same for a person who looks for the fault.
std::string sshCommandLine(const Endpoint& endpoint);

/// Why ssh opened no connection to an Engine, and what to do about it. `errors` is what it printed to stderr, `output` what came in place
/// of an Engine's response; both are untrusted.
struct SshEnd {
  std::optional<int> exitCode;  ///< nothing: a signal ended it
  std::string errors{};
  std::string output{};
};
Error sshFailure(const Endpoint& endpoint, const SshEnd& end);

}  // namespace swarm::engine
