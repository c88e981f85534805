// Both forms of /exec: a command whose whole output is in one response, and a stream over a WebSocket.
#pragma once

#include "agent/exec/exec_process.h"
#include "agent/monitor/activity.h"
#include "agent/workspace/hold.h"
#include "model/types/usage.h"
#include "net/http/http_server.h"

namespace swarm::agent {

inline constexpr std::size_t kMaxExecRequest = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxQueuedInput = 256 * 1024;  ///< unread input of a command before the agent stops reading from the client

struct BufferedResult {
  CommandResult result;
  bool timedOut = false;
};
/// Runs the command to its end; output beyond kMaxBufferedOutput is read and discarded. On a timeout its process group is killed. On
/// cancellation (the client has disconnected) it gets SIGHUP.
awaitable<BufferedResult> runBuffered(ExecContext& context, ExecSpec spec);

/// Handles POST /exec; 503 when the instance becomes held before the command ends.
awaitable<void> handleExecPost(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange);
/// Handles GET /exec with an upgrade to WebSocket. When the instance becomes held, the client receives a Failed frame.
awaitable<void> handleExecStream(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange);

}  // namespace swarm::agent
