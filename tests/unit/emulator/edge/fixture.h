// An edge in front of one Machine whose responses are defined by a test, and a raw client.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "emulator/edge/edge_proxy.h"
#include "net/http/http_client.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"

namespace swarm::emulator {

class EdgeTest : public ::testing::Test {
 protected:
  ~EdgeTest() override {
    if (server) server->stop();
    loop.runUntil([] { return true; });
  }

  EdgeRoutes routes() {
    EdgeRoutes made;
    made.find = [this](EdgeQuery query) { return find(std::move(query)); };
    made.services = [this] { return services; };
    made.servicesOf = [this](const std::string& app) {
      std::vector<EdgeService> found;
      std::ranges::copy_if(services, std::back_inserter(found), [&](const EdgeService& service) { return service.app == app; });
      return found;
    };
    made.connect = [this](std::string machine_id, std::uint16_t port, Deadline deadline) {
      requested_machine = std::move(machine_id);
      requested_port = port;
      return net::connectTcp(machine_address, deadline);
    };
    return made;
  }
  awaitable<std::expected<EdgeTarget, EdgeRefusal>> find(EdgeQuery query) {
    queries.push_back(query);
    if (refusal) co_return std::unexpected(*refusal);
    EdgeTarget target;
    target.machineId = query.forceInstance.empty() ? "m1" : query.forceInstance;
    target.internalPort = 7777;
    co_return target;
  }

  void startEdge(std::shared_ptr<net::TlsContext> tls = {}) {
    proxy = std::make_unique<EdgeProxy>(routes());
    net::HttpServerOptions options;
    options.tls = std::move(tls);
    server = std::make_unique<net::HttpServer>(
        net::listenTcp(loop.executor(), {"127.0.0.1", 0}), [this](net::Exchange& exchange) { return proxy->handle(exchange); }, options);
    loop.spawn(server->run());
  }
  net::HostPort edgeAddress() const { return {"127.0.0.1", server->port()}; }

  /// The Machine: runs `script` for each connection.
  void startMachine(test::RawServer::Script script) {
    machine = std::make_unique<test::RawServer>(loop, std::move(script));
    machine_address = machine->address();
    if (!server) startEdge();
  }
  /// A Machine that records each request's head and responds with `response`.
  void startResponding(std::string response) {
    startMachine([this, response](net::StreamPtr stream, int) -> awaitable<void> { return respondWith(std::move(stream), response); });
  }
  awaitable<void> respondWith(net::StreamPtr stream, std::string response) {
    requests.push_back(co_await test::readUntil(*stream, "\r\n\r\n"));
    co_await stream->writeAll(response);
    co_await stream->shutdownWrite();
    co_await test::readToEnd(*stream);
  }

  net::StreamPtr connect() { return loop.run(net::connectTcp(edgeAddress(), soon())); }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }
  void send(net::Stream& stream, std::string text) {
    loop.run([](net::Stream& to, std::string what) -> awaitable<void> { co_await to.writeAll(what); }(stream, std::move(text)));
  }
  /// One exchange on a connection of its own, up to the end of the connection.
  std::string exchange(std::string request) {
    auto stream = connect();
    send(*stream, std::move(request));
    return loop.run(test::readToEnd(*stream));
  }
  static std::string get(std::string host, std::string extra = "") {
    return "GET /path?q=1 HTTP/1.1\r\nHost: " + host + "\r\n" + extra + "Connection: close\r\n\r\n";
  }

  test::TestLoop loop;
  std::vector<EdgeService> services;
  std::optional<EdgeRefusal> refusal;
  std::vector<EdgeQuery> queries;
  std::string requested_machine;
  std::uint16_t requested_port = 0;
  net::HostPort machine_address{"127.0.0.1", 1};
  std::vector<std::string> requests;
  std::unique_ptr<test::RawServer> machine;
  std::unique_ptr<EdgeProxy> proxy;
  std::unique_ptr<net::HttpServer> server;
};

}  // namespace swarm::emulator
