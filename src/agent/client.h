// AgentClient: the server's way to one instance's agent. Used by controller, API and gateway; opens connections on the caller's executor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/types.h"
#include "net/connect.h"
#include "net/http_client.h"
#include "protocol/agent.h"
#include "protocol/instance_token.h"
#include "transfer/session.h"

namespace swarm::agent {

using net::awaitable;

struct AgentHealth {
  bool ready = false;        ///< VS Code answers
  std::string reason;        ///< why not yet, as a sentence
  std::string generation;    ///< changes whenever VS Code's server was replaced
  std::string held;          ///< the transfer for which nothing of the user's runs here; empty: none
  std::string boot;          ///< random, of this process of the agent; empty from an agent of before moves
  bool vscodeEnded = false;  ///< VS Code's process ended, and waits for its next start
  /// Of the setup script: "none", "running", "succeeded" or "failed".
  std::string setup = "none";
  std::int64_t setupExitCode = 0;
};

/// What /hold and /release leave behind.
struct AgentHold {
  std::string held;
  std::string boot;
};

struct AgentActivity {
  SystemTime lastActivity{};
  std::int64_t connections = 0;
};

/// How to reach and be believed by one agent. A value, cheap to copy; thread-safe.
struct AgentTarget {
  std::string instanceId;
  SigningKey key;
  net::HttpEndpoint endpoint;
};

/// Which mount paths of an instance an archive is about.
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

/// Each call opens its own connection. Throws Error(Unavailable) when the agent can't be reached, DeadlineExceeded, UpstreamFailed.
/// `wait`: while VS Code is not ready the agent holds the answer back until it is, or it is held, or this long (its own bound is 10 s).
awaitable<AgentHealth> getHealth(AgentTarget target, Deadline deadline, std::chrono::milliseconds wait = {});
/// Ends every process of the user's; when it returns the files stand still. `reason` is told to those who ask for VS Code meanwhile. Can be
/// called again. Throws Error(Conflict) when somebody released it meanwhile, Error(Unavailable) when a process could not be ended
/// (everything runs again then).
awaitable<AgentHold> hold(AgentTarget target, std::string transfer, std::string reason, Deadline deadline);
/// Starts VS Code and the command again. Can be called again.
awaitable<AgentHold> release(AgentTarget target, Deadline deadline);
/// Stops every process of the user's (none ends); when it returns the files stand still. How many were stopped. Again: the minute after
/// which the agent lets them go on by itself begins anew. Throws Error(Unavailable) with the names of those that could not be stopped, or
/// when it is held (all go on then), Error(Conflict) when it is frozen for another transfer or was thawed meanwhile.
awaitable<std::size_t> freeze(AgentTarget target, std::string transfer, Deadline deadline);
/// Lets them go on. Can be called again.
awaitable<void> thaw(AgentTarget target, Deadline deadline);
/// Tokens of that sign-in open nothing any more, and what they opened is closed. Can be called again.
awaitable<void> endSession(AgentTarget target, std::string session, Deadline deadline);
awaitable<ResourceUsage> getUsage(AgentTarget target, Deadline deadline);
awaitable<AgentActivity> getActivity(AgentTarget target, Deadline deadline);
awaitable<CommandResult> exec(AgentTarget target, ExecRequest request, Deadline deadline);

/// Opens a tunnel: VS Code's HTTP, or a port inside. Throws Error(Unavailable) with the agent's reason (VS Code not ready, nothing listens
/// on the port).
awaitable<net::StreamPtr> openVscodeTunnel(AgentTarget target, Deadline deadline);
awaitable<net::StreamPtr> openPortTunnel(AgentTarget target, std::uint16_t port, Deadline deadline);
/// Opens the agent's end of a move; what is spoken on it: transfer/link.h. An older session of the same role ends. Throws Error(Conflict)
/// when it is to receive and is not held for this transfer.
awaitable<net::StreamPtr> openTransfer(AgentTarget target, transfer::Role role, std::string transfer_id, Deadline deadline);
/// Streams the instance's archive (model/archive.h): a body whose end, or whose end mark, is missing is no whole one. `workspace` goes into
/// its first member. Throws Error(Unprocessable) when the image lacks a tool.
awaitable<std::unique_ptr<net::HttpExchange>> openExport(AgentTarget target, boost::json::object workspace, ArchivePlaces places,
                                                         Deadline deadline);
/// Gives the next piece of an archive; empty at its end. What it throws passes.
using ArchiveSource = std::function<awaitable<std::string>(Deadline)>;
/// Replaces what is in the archive's storages: {"files","bytes","workspace","notes","count"}. Everything of the user's is ended for it, and
/// started again. Throws Error(Conflict) when there are files and not `force`, Unprocessable for what is no archive or does not fit here,
/// OutOfResources for a full disk.
awaitable<boost::json::object> importArchive(AgentTarget target, ArchivePlaces places, bool force, ArchiveSource source);
/// Opens a command's stream for a client whose handshake is passed on: `handshake` are its Sec-WebSocket-* fields, and the headers of what
/// comes back, which was upgraded, complete it. Throws as the tunnels do, with the agent's reason.
awaitable<std::unique_ptr<net::HttpExchange>> openExec(AgentTarget target, net::Headers handshake, Deadline deadline);
/// For passing a client's exec WebSocket through as bytes: the headers that an upgrade request to kExecPath needs.
net::Headers execHeaders(const AgentTarget& target, const Clock& clock);

}  // namespace swarm::agent
