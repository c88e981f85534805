// The server behind the fake provider's connector: enough of the agent's protocol for readiness and for a page.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text/format.h"
#include "net/stream/stream.h"
#include "protocol/agent.h"
#include "provider/fake/fake_provider.h"

namespace swarm::fake {
namespace {

std::string httpResponse(int status, std::string_view reason, std::string_view type, std::string_view body) {
  return format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status, reason, type,
                body.size(), body);
}

/// Reads one request head; empty when the peer disconnects or sends something else.
awaitable<std::string> readHead(net::Stream& stream) {
  std::string head;
  std::array<char, 4096> buffer;
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < 64 * 1024) {
    net::IoResult read = co_await stream.readSome(boost::asio::buffer(buffer));
    if (read.error) co_return std::string();
    head.append(buffer.data(), read.bytes);
  }
  co_return head;
}

bool isGet(std::string_view head, std::string_view path) {
  if (!head.starts_with("GET ") || !head.substr(4).starts_with(path)) return false;
  return std::string_view(" ?").contains(head.substr(4 + path.size(), 1));
}

std::string responseTo(std::string_view head, const FakeContainer& container, bool ready) {
  if (isGet(head, agent::kHealthPath)) {
    bool runs = ready && container.held.empty();
    std::string body =
        format("{{\"ready\":{},\"reason\":\"{}\",\"generation\":\"{}\",\"vscode\":\"fake\",\"uptime\":1,\"held\":\"{}\",\"boot\":\"{}\"}}",
               runs, runs ? "" : "VS Code is starting.", container.generation, container.held, container.boot);
    return httpResponse(200, "OK", "application/json", body);
  }
  return httpResponse(404, "Not Found", "text/plain", "");
}

/// Serves one connection until its end. Inside a tunnel each request gets the same page.
awaitable<void> serve(net::StreamPtr stream, FakeContainer container, bool ready) {
  std::string head = co_await readHead(*stream);
  if (head.empty()) co_return;
  if (!isGet(head, agent::kVscodeTunnelPath)) {
    co_await stream->writeAll(responseTo(head, container, ready));
    co_await stream->shutdownWrite();
    co_return;
  }
  if (!ready) {
    co_await stream->writeAll(httpResponse(503, "Service Unavailable", "text/plain", "VS Code is starting."));
    co_await stream->shutdownWrite();
    co_return;
  }
  co_await stream->writeAll(agent::tunnelOpened());
  while (!(co_await readHead(*stream)).empty()) {
    std::string page = format("<!doctype html><title>{}</title><p>A simulated VS Code of {}.", container.spec.name, container.spec.name);
    net::IoResult written =
        co_await stream->writeAll(format("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{}", page.size(), page));
    if (written.error) co_return;
  }
}

awaitable<net::StreamPtr> connect(FakeWorld& world, const Clock& clock, PlaceId place_id) {
  auto container = world.container(place_id);
  if (world.isDown() || !container || container->status != InstanceStatus::running || !world.hasAgent(container->spec.config.image))
    throw Error(ErrorCode::Unavailable, "The agent refuses connections.");
  auto executor = co_await boost::asio::this_coro::executor;
  auto [near, far] = net::makePipe(executor);
  bool ready = clock.steadyNow() >= container->readyAt;
  boost::asio::co_spawn(executor, serve(std::move(far), *container, ready), boost::asio::detached);
  co_return std::move(near);
}

}  // namespace

net::Connector simulatedAgent(FakeWorld& world, const Clock& clock, PlaceId place_id) {
  return [&world, &clock, place_id](Deadline) { return connect(world, clock, place_id); };
}

}  // namespace swarm::fake
