// What the server and the agent agree on: port, paths, headers, settings, exec frames. src/agent/README.md describes it as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::agent {

inline constexpr std::uint16_t kPort = 7777;  ///< the only listening port of the agent; no workspace may publish it
/// The environment variable with the agent's settings, a JSON object: {"instanceId","publicKey"(hex),…}. Nothing in it is a secret. The
/// value that a provider sets counts, whatever the environment of the workspace's configuration says.
inline constexpr const char* kSettingsVariable = "SWARM_AGENT";
/// Where there is no such variable: {"instanceId","secret"(hex),…}, root 0400, of a container made before agents had public keys.
inline constexpr std::string_view kConfigPath = "/etc/swarm/agent.json";
inline constexpr std::string_view kTokenHeader = "Swarm-Token";      ///< instance token; 401 and nothing else without a valid one
inline constexpr std::string_view kTunnelProtocol = "swarm-tunnel";  ///< Upgrade: value; after 101 the connection is a byte pump

// GET, Upgrade: swarm-tunnel. The gateway speaks HTTP to code-server, or whatever the port speaks, through these.
inline constexpr std::string_view kVscodeTunnelPath =
    "/tunnel/vscode";  ///< scope vscode; to code-server's unix socket; 503 + reason while not ready
inline constexpr std::string_view kPortTunnelPrefix =
    "/tunnel/port/";  ///< scope port; + port number, on 127.0.0.1 then ::1; 502 when nothing listens

/// GET, scope status: {"ready","reason","generation","vscode","uptime","held","boot"}
inline constexpr std::string_view kHealthPath = "/health";
inline constexpr std::string_view kUsagePath = "/usage";        ///< GET, scope status: ResourceUsage
inline constexpr std::string_view kActivityPath = "/activity";  ///< GET, scope status: {"lastActivity": RFC 3339, "connections": n}
inline constexpr std::string_view kExecPath = "/exec";          ///< scope exec; POST JSON → CommandResult; GET + WebSocket → stream
inline constexpr std::size_t kMaxBufferedOutput = 1024 * 1024;  ///< of stdout, and of stderr, in the answer to POST

/// POST {"session"} → {}: scope control. Tokens of that sign-in count no more, and their connections are closed.
inline constexpr std::string_view kEndSessionPath = "/sessions/end";

// A move: scope files.
inline constexpr std::string_view kHoldPath = "/hold";  ///< POST {"transfer","reason"} → {"held","boot"} once nothing of the user's runs
inline constexpr std::string_view kReleasePath = "/release";  ///< POST → {"held":"","boot"}
// A workspace's archive: scope files.
inline constexpr std::string_view kExportPath = "/export";  ///< POST {"workspace","storages","excluded"} → the archive
inline constexpr std::string_view kImportPath = "/import";  ///< PUT ?storage=…&excluded=…&force=true, the archive → {"files","bytes",…}
// A snapshot: scope files.
inline constexpr std::string_view kFreezePath = "/freeze";  ///< POST {"transfer"} → {"frozen": n} once the user's processes stand still
inline constexpr std::string_view kThawPath = "/thaw";      ///< POST → {}: they go on
// GET, Upgrade: swarm-tunnel, "?transfer=ID"; after 101 one session of src/transfer. 409 for receive unless held for that transfer.
inline constexpr std::string_view kSendPath = "/transfer/send";
inline constexpr std::string_view kReceivePath = "/transfer/receive";

/// The answer of an agent that opened a tunnel.
inline std::string tunnelOpened() {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + std::string(kTunnelProtocol) + "\r\nConnection: Upgrade\r\n\r\n";
}

}  // namespace swarm::agent
