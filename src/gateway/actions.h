// WorkspaceActions: what users can do on the gateway's pages besides opening a workspace. The program connects it to the controller.
#pragma once

#include <functional>
#include <string>

#include "async/loop.h"
#include "auth/auth.h"
#include "model/types/ids.h"

namespace swarm {

/// Each may be called on any loop, returns when the operation is accepted, and throws Error. The caller has checked the permission. The
/// pages do not offer an empty function.
struct WorkspaceActions {
  /// Returns the name; the server generates one if `name` is empty.
  std::function<async::awaitable<std::string>(Principal principal, std::string name)> create;
  std::function<async::awaitable<void>(Principal principal, InstanceId instance)> start;
  std::function<async::awaitable<void>(Principal principal, InstanceId instance)> stop;
  /// Opens a port to those who may open the instance.
  std::function<async::awaitable<void>(Principal principal, InstanceId instance, std::uint16_t port)> sharePort;
};

}  // namespace swarm
