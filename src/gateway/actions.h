// WorkspaceActions: what people can do on the gateway's own pages besides opening a workspace. The composition connects it to the
// controller.
#pragma once

#include <functional>
#include <string>

#include "async/loop.h"
#include "auth/auth.h"

namespace swarm {

/// Each may be called on any loop, returns once the operation is accepted, and throws Error. The caller has checked the permission.
/// Empty functions: the pages do not offer them.
struct WorkspaceActions {
  /// `name` may be empty: the server makes one. Gives the name.
  std::function<net::awaitable<std::string>(Principal principal, std::string name)> create;
  std::function<net::awaitable<void>(Principal principal, std::string instance_id)> start;
  std::function<net::awaitable<void>(Principal principal, std::string instance_id)> stop;
};

}  // namespace swarm
