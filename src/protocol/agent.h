// The protocol between server and agent: port, paths, headers, settings. src/agent/README.md describes it as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::agent {

inline constexpr std::uint16_t kPort = 7777;  ///< the only listening port of the agent; no workspace may publish it
/// The environment variable with the agent's settings, a JSON object: {"instanceId","publicKey"(hex),"tlsKey"(hex),…}. "tlsKey", if
/// present, is the only secret in it (agent_tls.h): the agent then serves its port with TLS alone. A provider's value takes precedence over
/// the environment in the workspace's configuration.
inline constexpr const char* kSettingsVariable = "SWARM_AGENT";
/// The file for containers without that variable, which are older than public keys: {"instanceId","secret"(hex),…}, root 0400.
inline constexpr std::string_view kConfigPath = "/etc/swarm/agent.json";
inline constexpr std::string_view kTokenHeader = "Swarm-Token";      ///< instance token; 401 with an empty body without a valid one
inline constexpr std::string_view kTunnelProtocol = "swarm-tunnel";  ///< Upgrade: value; after 101 the connection is a byte pump

// GET, Upgrade: swarm-tunnel. The gateway uses these for HTTP to code-server, or any protocol to a port.
inline constexpr std::string_view kVscodeTunnelPath =
    "/tunnel/vscode";  ///< scope vscode; to code-server's unix socket; 503 + reason while not ready
inline constexpr std::string_view kPortTunnelPrefix =
    "/tunnel/port/";  ///< scope port; + port number, on 127.0.0.1 then ::1; 502 if no program is listening

/// GET, scope status: {"ready","reason","generation","vscode","uptime","held","boot"}
inline constexpr std::string_view kHealthPath = "/health";
inline constexpr std::string_view kUsagePath = "/usage";        ///< GET, scope status: ResourceUsage
inline constexpr std::string_view kActivityPath = "/activity";  ///< GET, scope status: {"lastActivity": RFC 3339, "connections": n}
inline constexpr std::string_view kExecPath = "/exec";          ///< scope exec; POST JSON → CommandResult; GET + WebSocket → stream
inline constexpr std::size_t kMaxBufferedOutput = 1024 * 1024;  ///< of stdout, and of stderr, in the response to POST

/// POST {"session"} → {}: scope control. Invalidates the tokens of that sign-in, and closes their connections.
inline constexpr std::string_view kEndSessionPath = "/sessions/end";

// A move: scope files.
inline constexpr std::string_view kHoldPath = "/hold";  ///< POST {"transfer","reason"} → {"held","boot"} once no user process runs
/// The "transfer" of a hold with which an agent starts (setting "hold") until the rules of its network stand (docs/adr/0018-egress.md).
inline constexpr std::string_view kEgressHold = "egress";
inline constexpr std::string_view kReleasePath = "/release";  ///< POST → {"held":"","boot"}
// A workspace's archive: scope files.
inline constexpr std::string_view kExportPath = "/export";  ///< POST {"workspace","storages","excluded"} → the archive
inline constexpr std::string_view kImportPath = "/import";  ///< PUT ?storage=…&excluded=…&force=true, the archive → {"files","bytes",…}
// A snapshot: scope files.
inline constexpr std::string_view kFreezePath = "/freeze";  ///< POST {"transfer"} → {"frozen": n} once the user's processes are stopped
inline constexpr std::string_view kThawPath = "/thaw";      ///< POST → {}: they are resumed
// GET, Upgrade: swarm-tunnel, "?transfer=ID"; after 101 one session of src/transfer. 409 for receive unless held for that transfer.
inline constexpr std::string_view kSendPath = "/transfer/send";
inline constexpr std::string_view kReceivePath = "/transfer/receive";

/// The response of an agent that opened a tunnel.
inline std::string tunnelOpened() {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + std::string(kTunnelProtocol) + "\r\nConnection: Upgrade\r\n\r\n";
}

}  // namespace swarm::agent
