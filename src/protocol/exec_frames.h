// The frames of a command's stream: a WebSocket at kExecPath between a client and an agent, which the server relays unchanged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::agent {

/// Exec stream: the first message is text JSON {"command":[…],"env":{},"cwd":"","user":"coder","tty":false,"columns":80,"rows":24}; then
/// binary messages whose first byte is one of these.
enum class ExecFrame : std::uint8_t {
  Stdin = 0,     ///< client → agent
  Stdout = 1,    ///< agent → client (with a tty: everything)
  Stderr = 2,    ///< agent → client
  StdinEnd = 3,  ///< client → agent, no payload
  Resize = 4,    ///< client → agent, JSON {"columns","rows"}
  Signal = 5,    ///< client → agent, JSON {"signal":"INT"}
  Exit = 6,      ///< agent → client, JSON {"exitCode"}; the last frame
  Failed = 7,    ///< agent → client, JSON {"message"}: the command could not be started, or the workspace moves; the last frame
};

inline std::string encodeFrame(ExecFrame kind, std::string_view payload) {
  std::string bytes(1, static_cast<char>(kind));
  bytes += payload;
  return bytes;
}

}  // namespace swarm::agent
