// Both forms of /exec: a command with its whole output in one answer, and a stream over a WebSocket.
#pragma once

#include "agent/activity.h"
#include "agent/exec_process.h"
#include "agent/hold.h"
#include "model/types.h"
#include "net/http_server.h"
#include "protocol/agent.h"

namespace swarm::agent {

inline constexpr std::size_t kMaxExecRequest = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxQueuedInput = 256 * 1024;  ///< what a command may leave unread before its client is held back

struct BufferedResult {
  CommandResult result;
  bool timedOut = false;
};

/// Runs the command to its end; output beyond the limit is read and dropped. On a time-out its process group is killed. When cancelled
/// (the client is gone) it gets SIGHUP.
awaitable<BufferedResult> runBuffered(ExecContext& context, ExecSpec spec);

/// Answers POST /exec; 503 when the instance becomes held before the command's end.
awaitable<void> handleExecPost(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange);
/// Answers GET /exec with an upgrade to WebSocket. When the instance becomes held the client is told with a Failed frame.
awaitable<void> handleExecStream(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange);

}  // namespace swarm::agent
