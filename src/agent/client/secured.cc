#include "agent/client/secured.h"

#include "async/attempt.h"
#include "base/error.h"

namespace swarm::agent {
namespace {

net::awaitable<net::StreamPtr> connectSecured(net::Connector plain, std::string public_key, Deadline deadline) {
  net::StreamPtr stream = co_await plain(deadline);
  auto connected = co_await async::attempt(net::connectPinned(std::move(stream), std::move(public_key), deadline));
  if (connected) co_return std::move(*connected);
  if (connected.error().code() != ErrorCode::Unavailable) throw connected.error();
  throw Error(ErrorCode::Unavailable, connected.error().message() +
                                          " The server sends nothing to a peer that does not have the key of this workspace's agent. If "
                                          "this persists, check what is between the server and the Docker host.");
}

}  // namespace

net::Connector secured(net::Connector plain, std::string public_key) {
  return [plain = std::move(plain), key = std::move(public_key)](Deadline deadline) { return connectSecured(plain, key, deadline); };
}

}  // namespace swarm::agent
