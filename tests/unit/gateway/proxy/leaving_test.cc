// Clients that leave before their response arrives: the application is notified, and nothing is left.
#include <boost/asio/redirect_error.hpp>
#include <filesystem>

#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

constexpr std::string_view kEventStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::ptrdiff_t openDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return std::distance(begin(descriptors), end(descriptors));
}

class Leaving : public GatewayTest {
 protected:
  Leaving() {
    rebuildGateway({.sweepInterval = std::chrono::milliseconds(5)});
    // An event stream, or a response that the test releases.
    application_->script = [this](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto head = co_await application_->readHead(stream, buffer);
      if (head.starts_with("GET /late")) {
        co_await until(response_);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"));
      }
      if (head.starts_with("GET /events")) co_await stream.writeAll(kEventStream);
      char byte = 0;
      const auto read = co_await stream.readSome(asio::buffer(&byte, 1));
      if (read.error == asio::error::connection_reset) ++resets_;
    };
  }

  static awaitable<void> until(asio::steady_timer& event) {
    boost::system::error_code ignored;
    co_await event.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  awaitable<Client> open(std::string_view path, std::string_view fields = {}) {
    auto client = co_await connect();
    const int before = application_->open;
    co_await client.send(get(path, fields));
    EXPECT_TRUE(co_await eventually([&] { return application_->open == before + 1; }));
    if (path == "/events") EXPECT_TRUE((co_await client.readThrough("\r\n\r\n")).ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n"));
    co_return client;
  }
  /// Waits until the gateway has checked its exchanges: it cuts one whose client has certainly left.
  awaitable<void> sweep() {
    auto gone = co_await open("/silent");
    const int before = application_->open;
    gone.stream().abort();
    EXPECT_TRUE(co_await eventually([&] { return application_->open == before - 1; }));
  }

  asio::steady_timer response_{context_, asio::steady_timer::time_point::max()};
  int resets_ = 0;
};

TEST_F(Leaving, closedEventStreamsOfBrowsersLeaveNoDescriptor) {
  run([&]() -> awaitable<void> {
    {
      auto warm = co_await open("/events");
    }
    co_await sweep();
    const auto before = openDescriptors();
    std::vector<Client> clients;
    for (int i = 0; i < 100; ++i) clients.push_back(co_await open("/events", "Sec-Fetch-Mode: cors\r\n"));
    EXPECT_GT(openDescriptors(), before + 300);
    clients.clear();
    EXPECT_TRUE(co_await eventually([&] { return openDescriptors() <= before; })) << openDescriptors() << " instead of " << before;
    EXPECT_EQ(gateway_->counters().openExchanges, 1U) << "the first one, which has only ended its direction";
  });
}

TEST_F(Leaving, aResetEndsTheApplicationsConnectionWithAReset) {
  run([&]() -> awaitable<void> {
    auto client = co_await open("/silent");
    client.stream().abort();
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
    EXPECT_EQ(resets_, 1) << "the end of one direction would not have notified it";
    EXPECT_EQ(gateway_->counters().failures, 0U) << "nothing of the workspace failed";
  });
}

TEST_F(Leaving, aClientThatEndedOnlyItsOwnDirectionGetsItsResponse) {
  run([&]() -> awaitable<void> {
    auto client = co_await open("/late");
    co_await client.stream().shutdownWrite();
    co_await sweep();
    clock_.advance(std::chrono::seconds(25));
    co_await sweep();
    response_.cancel();
    EXPECT_EQ((co_await client.receive()).body, "late");
  });
}

TEST_F(Leaving, longSilenceAfterTheEndOfOneDirectionIsAnEnd) {
  run([&]() -> awaitable<void> {
    auto client = co_await open("/silent");
    co_await client.stream().shutdownWrite();
    co_await sweep();
    EXPECT_EQ(application_->open, 1);
    clock_.advance(std::chrono::seconds(31));
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
    EXPECT_TRUE(co_await client.isClosed());
  });
}

TEST_F(Leaving, aPreflightWithoutAnAnswerEnds) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    // It needs no sign-in, so a stranger must not hold the application's connections with it.
    co_await client.send("OPTIONS /late HTTP/1.1\r\nHost: " + hostName("80.ws") + "\r\nOrigin: http://" + hostName("ws") +
                         "\r\nAccess-Control-Request-Method: PUT\r\n\r\n");
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 1; }));
    clock_.advance(std::chrono::seconds(29));
    co_await sweep();
    EXPECT_EQ(application_->open, 1);
    clock_.advance(std::chrono::seconds(2));
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
    EXPECT_EQ((co_await client.receive()).status, 401);
  });
}

TEST_F(Leaving, requestsInProgressAreLimitedAndPreflightsApart) {
  GatewayOptions limited{.sweepInterval = std::chrono::milliseconds(5)};
  limited.requests = std::make_shared<OpenBudget>(OpenLimits{.perUser = 2, .perInstance = 100, .things = "requests in progress"});
  limited.preflights = std::make_shared<OpenBudget>(OpenLimits{.perUser = 2, .perInstance = 100, .things = "preflights"});
  const auto script = application_->script;
  rebuildGateway(limited);
  application_->script = script;
  run([&]() -> awaitable<void> {
    const std::string preflight = "OPTIONS /late HTTP/1.1\r\nHost: " + hostName("80.ws") + "\r\nOrigin: http://" + hostName("ws") +
                                  "\r\nAccess-Control-Request-Method: PUT\r\n\r\n";
    std::vector<Client> held;
    for (int i = 0; i < 2; ++i) {
      held.push_back(co_await connect());
      co_await held.back().send(preflight);
    }
    EXPECT_TRUE(co_await eventually([&] { return limited.preflights->open() == 2; }));
    auto refused = co_await connect();
    EXPECT_EQ((co_await refused.ask(preflight)).status, 429);
    auto first = std::make_optional(co_await open("/silent"));
    auto second = co_await open("/events");
    const auto response = co_await refused.ask(get("/late"));
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.header("Retry-After"), "5");
    EXPECT_NE(response.body.find("Limit of 2 requests in progress of one user"), std::string::npos) << response.body;
    first->stream().abort();
    EXPECT_TRUE(co_await eventually([&] { return limited.requests->open() == 1; })) << "the end of a request releases its share";
    response_.cancel();
    auto third = co_await open("/silent");
  });
}

TEST_F(Leaving, aTunnelWhoseClientIsSilentAfterItsEndIsCut) {
  run([&]() -> awaitable<void> {
    application_->script = [this](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"));
      char byte = 0;
      while (!(co_await stream.readSome(asio::buffer(&byte, 1))).error) continue;
      co_await until(response_);  // it ignores the end
    };
    auto client = co_await connect();
    const auto fields = "Cookie: " + instanceCookie(ada_.principal) + "\r\nConnection: Upgrade\r\nUpgrade: x\r\n";
    EXPECT_EQ((co_await client.ask(request("GET /", fields))).status, 101);
    co_await client.stream().shutdownWrite();
    EXPECT_TRUE(co_await eventually([&] {
      clock_.advance(std::chrono::seconds(1));
      return gateway_->counters().openExchanges == 0;
    }));
    response_.cancel();
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
