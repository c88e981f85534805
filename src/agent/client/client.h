// AgentClient: the server's client for one instance's agent. Used by controller, API and gateway; opens connections on the caller's
// executor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "model/types/ids.h"
#include "model/types/usage.h"
#include "net/connect.h"
#include "net/http/http_client.h"
#include "protocol/agent.h"
#include "protocol/instance_token.h"
#include "protocol/setup_state.h"
#include "transfer/rounds/session.h"

namespace swarm::agent {

using async::awaitable;

struct AgentHealth {
  bool ready = false;        ///< VS Code responds
  std::string reason;        ///< why not yet, as a sentence
  std::string generation;    ///< changes whenever VS Code's server was replaced
  std::string held;          ///< the transfer that the instance is held for (no user processes run); empty: not held
  std::string boot;          ///< random, per process of the agent; empty from agents without moves
  bool vscodeEnded = false;  ///< VS Code's process ended and will be restarted
  bool importing = false;    ///< an import has the workspace held; agents that do not report it: VS Code is not ready
  std::string warning;       ///< what else users should know, as a sentence
  SetupState setup = SetupState::None;
  std::int64_t setupExitCode = 0;
};

/// The state after /hold or /release.
struct AgentHold {
  std::string held;
  std::string boot;
};

struct AgentActivity {
  SystemTime lastActivity{};
  std::int64_t connections = 0;
};

/// How to reach and authenticate to one agent. A value, cheap to copy; thread-safe.
struct AgentTarget {
  InstanceId instanceId;
  SigningKey key;
  net::HttpEndpoint endpoint;
};

/// The mount paths of an instance that an archive covers.
struct ArchivePlaces {
  std::vector<std::string> storages;
  std::vector<std::string> excluded;  ///< other mounts, which may lie within them
};

struct ExecRequest {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::string cwd;
  std::string user = "coder";
  std::string stdinText;
};

/// Each call opens its own connection. Throws Error(Unavailable) when the agent is unreachable, DeadlineExceeded, UpstreamFailed. `wait`:
/// while VS Code is not ready, the agent delays its response until VS Code is ready, the agent is held, or this time has passed (its own
/// limit is 10 s).
awaitable<AgentHealth> getHealth(AgentTarget target, Deadline deadline, std::chrono::milliseconds wait = {});
/// Ends every user process; when it returns, the files no longer change. Requests for VS Code are refused with `reason` from then on.
/// Idempotent. Throws Error(Conflict) when a concurrent release superseded it, Error(Unavailable) when a process could not be ended
/// (everything is started again then).
awaitable<AgentHold> hold(AgentTarget target, std::string transfer, std::string reason, Deadline deadline);
/// Starts VS Code and the command again. Idempotent. Throws Error(Conflict) when the agent has another boot id than the given one; agents
/// of earlier versions do not compare it.
awaitable<AgentHold> release(AgentTarget target, Deadline deadline, std::string boot = {});
/// Stops every user process without ending it; when it returns, the files no longer change. Returns the number of processes stopped.
/// Calling it again renews the lease of one minute, after which the agent resumes the processes. Throws Error(Unavailable) with the names
/// of processes that could not be stopped, or when it is held (all are resumed then), Error(Conflict) when it is frozen for another
/// transfer or was thawed during the call.
awaitable<std::size_t> freeze(AgentTarget target, std::string transfer, Deadline deadline);
/// Resumes the processes. Idempotent.
awaitable<void> thaw(AgentTarget target, Deadline deadline);
/// Invalidates the tokens of that sign-in, and closes the connections that they opened. Idempotent.
awaitable<void> endSession(AgentTarget target, std::string session, Deadline deadline);
awaitable<ResourceUsage> getUsage(AgentTarget target, Deadline deadline);
awaitable<AgentActivity> getActivity(AgentTarget target, Deadline deadline);
awaitable<CommandResult> exec(AgentTarget target, ExecRequest request, Deadline deadline);

/// Opens a tunnel: VS Code's HTTP, or a port inside. Throws Error(Unavailable) with the agent's reason (VS Code not ready, no listener on
/// the port).
awaitable<net::StreamPtr> openVscodeTunnel(AgentTarget target, Deadline deadline);
awaitable<net::StreamPtr> openPortTunnel(AgentTarget target, std::uint16_t port, Deadline deadline);
/// Opens the agent's end of a move; for the protocol see transfer/wire/link.h. Ends an older session of the same role. Throws
/// Error(Conflict) when it is to receive and is not held for this transfer.
awaitable<net::StreamPtr> openTransfer(AgentTarget target, transfer::Role role, std::string transfer_id, Deadline deadline);
/// Streams the instance's archive (model/archive.h): a body without its end, or without its end mark, is incomplete. `workspace` becomes
/// part of its first member. Throws Error(Unprocessable) when the image lacks a tool.
awaitable<std::unique_ptr<net::HttpExchange>> openExport(AgentTarget target, boost::json::object workspace, ArchivePlaces places,
                                                         Deadline deadline);
/// Returns the next piece of an archive; empty at its end. Its exceptions propagate.
using ArchiveSource = std::function<awaitable<std::string>(Deadline)>;
/// When importArchive() gives up an agent that neither takes bytes of the archive nor reports that the import continues.
struct ImportPatience {
  std::chrono::milliseconds silence = std::chrono::minutes(5);
  std::chrono::milliseconds probeInterval = std::chrono::seconds(15);
  std::chrono::milliseconds untaken = std::chrono::minutes(30);  ///< for a piece of the archive, whatever the agent reports
  std::function<SteadyTime()> now = &std::chrono::steady_clock::now;
};
/// Replaces the contents of the archive's storages: {"files","bytes","workspace","notes","count"}. All user processes are ended for it, and
/// started again. Throws Error(Conflict) when there are files and not `force`, Unprocessable for an invalid archive or one that does not
/// fit this instance, OutOfResources for a full disk, DeadlineExceeded when the agent makes no progress; the import ends in the workspace
/// all the same.
awaitable<boost::json::object> importArchive(AgentTarget target, ArchivePlaces places, bool force, ArchiveSource source,
                                             ImportPatience patience = {});
/// Opens a command's stream for a client whose handshake is relayed: `handshake` contains its Sec-WebSocket-* fields, and the headers of
/// the returned, upgraded response complete it. Throws as the tunnels do, with the agent's reason.
awaitable<std::unique_ptr<net::HttpExchange>> openExec(AgentTarget target, net::Headers handshake, Deadline deadline);
/// For relaying a client's exec WebSocket as bytes: the headers that an upgrade request to kExecPath needs.
net::Headers execHeaders(const AgentTarget& target, const Clock& clock);

}  // namespace swarm::agent
