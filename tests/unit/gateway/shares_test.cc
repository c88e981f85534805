// Workspaces that are shared with the visitor: who enters them, and when that ends.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class SharedWorkspaces : public BrowserTest {
 protected:
  Grants with(ShareAccess access) { return {{current_.at("ws").instanceId, {.access = access}}}; }
  awaitable<Client> openTunnel(const Principal& visitor) {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
      (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    const auto response = co_await client.ask(
        request("GET /socket", "Connection: Upgrade\r\nUpgrade: websocket\r\nCookie: " + instanceCookie(visitor) + "\r\n"));
    EXPECT_EQ(response.status, 101);
    co_return client;
  }
  LoginResult bob_ = auth_.signIn("bob");
};

TEST_F(SharedWorkspaces, openForEditorsAndNotForViewers) {
  run([&]() -> awaitable<void> {
    const std::string cookie = "Cookie: " + instanceCookie(bob_.principal) + "\r\n";
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(request("GET /", cookie))).status, 401);
    auth_.share("bob", with(ShareAccess::viewer));
    EXPECT_EQ((co_await client.ask(request("GET /", cookie))).status, 401);
    auth_.share("bob", with(ShareAccess::editor));
    EXPECT_EQ((co_await client.ask(request("GET /", cookie))).status, 200);
    auth_.share("bob", {});
    EXPECT_EQ((co_await client.ask(request("GET /", cookie))).status, 401);
  });
}

TEST_F(SharedWorkspaces, areEnteredFromTheListOfTheVisitor) {
  run([&]() -> awaitable<void> {
    signInAs("bob");
    EXPECT_EQ((co_await browse(base("/"))).body.find("<td>ada</td>"), std::string::npos);
    auth_.share("bob", with(ShareAccess::viewer));
    const std::string seen = (co_await browse(base("/"))).body;
    EXPECT_NE(seen.find("<td>ada</td>"), std::string::npos) << "its owner";
    EXPECT_EQ(seen.find("://ws."), std::string::npos) << "not opened";
    EXPECT_EQ(seen.find("/workspaces/stop"), std::string::npos);
    auth_.share("bob", with(ShareAccess::editor));
    const std::string opened = (co_await browse(base("/"))).body;
    EXPECT_NE(opened.find("://ws."), std::string::npos);
    EXPECT_EQ(opened.find("/workspaces/stop"), std::string::npos);
  });
}

TEST_F(SharedWorkspaces, areLeftAtOnceWhenTheShareEnds) {
  auth_.share("bob", with(ShareAccess::editor));
  run([&]() -> awaitable<void> {
    auto theirs = co_await openTunnel(bob_.principal);
    auto owners = co_await openTunnel(ada_.principal);
    auth_.share("bob", with(ShareAccess::viewer));
    EXPECT_TRUE(co_await theirs.isClosed());
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 1; })) << "the owner stays";
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 1; }));
  });
}

TEST_F(SharedWorkspaces, reportToAnOpenTabThatItIsSignedOutAndNotThatTheyAreDeleted) {
  run([&]() -> awaitable<void> {
    const std::string cookie = "Cookie: " + instanceCookie(bob_.principal) + "\r\n";
    auto client = co_await connect();
    auth_.share("bob", with(ShareAccess::editor));
    EXPECT_EQ((co_await client.ask(request("GET /.swarm/status", cookie))).status, 200);
    auth_.share("bob", {});
    EXPECT_EQ((co_await client.ask(request("GET /.swarm/status", cookie))).status, 401);
  });
}

TEST_F(SharedWorkspaces, areLeftByTheirFormerOwnerAfterAHandOver) {
  auth_.share("bob", with(ShareAccess::editor));
  run([&]() -> awaitable<void> {
    auto owners = co_await openTunnel(ada_.principal);
    publish([](InstanceRoute& route) { route.owner = "bob"; });
    EXPECT_TRUE(co_await owners.isClosed());
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
