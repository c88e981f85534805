// Levels of ports: who opens a port in a browser, and what ends when that changes.
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

constexpr const char* kPort = "8080.ws";

class Ports : public BrowserTest {
 protected:
  Ports() { rebuildGateway(options()); }
  GatewayOptions options() {
    GatewayOptions options;
    options.actions.sharePort = [this](Principal principal, InstanceId, std::uint16_t port) -> awaitable<void> {
      shared_.push_back(principal.user + " " + std::to_string(port));
      open(PortLevel::shared, port);
      co_return;
    };
    return options;
  }
  void open(PortLevel level, std::uint16_t port = 8080, std::optional<std::chrono::seconds> life = {}) {
    publish([&](InstanceRoute& route) {
      PortRules rules = route.ports ? *route.ports : PortRules();
      if (level == PortLevel::owner)
        rules.erase(port);
      else
        rules[port] = {level, life ? std::optional(clock_.now() + *life) : std::nullopt};
      route.ports = std::make_shared<const PortRules>(std::move(rules));
    });
  }
  void openToEveryone() { open(PortLevel::everyone, 8080, std::chrono::hours(1)); }
  void share(ShareAccess access) { auth_.share("bob", {{current_.at("ws").instanceId, {.access = access}}}); }
  awaitable<Response> ask(std::string head) {
    auto client = co_await connect();
    co_return co_await client.ask(std::move(head));
  }
  /// A request of bob's to the port, with its cookie.
  std::string ofBob() { return request("GET /", "Cookie: " + instanceCookie(bob_.principal, kPort) + "\r\n", kPort); }
  std::string ofVisitor(std::string_view fields = {}, std::string_view host = kPort) { return request("GET /", fields, host); }
  awaitable<Client> openSocket(std::string fields) {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
      (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    const auto response = co_await client.ask(request("GET /socket", "Connection: Upgrade\r\nUpgrade: websocket\r\n" + fields, kPort));
    EXPECT_EQ(response.status, 101);
    co_return client;
  }

  LoginResult bob_ = auth_.signIn("bob");
  std::vector<std::string> shared_;
};

TEST_F(Ports, openForTheOwnerAloneUnlessTheyAreShared) {
  share(ShareAccess::editor);
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await ask(get("/", {}, kPort))).status, 200);
    EXPECT_EQ((co_await ask(ofBob())).status, 403) << "an editor";
    open(PortLevel::shared);
    EXPECT_EQ((co_await ask(ofBob())).status, 200);
    share(ShareAccess::viewer);
    EXPECT_EQ((co_await ask(ofBob())).status, 401) << "a viewer";
    share(ShareAccess::editor);
    EXPECT_EQ((co_await ask(ofBob())).status, 200);
    open(PortLevel::owner);
    EXPECT_EQ((co_await ask(ofBob())).status, 403);
    EXPECT_EQ((co_await ask(get("/", {}, kPort))).status, 200);
  });
}

TEST_F(Ports, areSharedByAnEditorOnTheirPage) {
  share(ShareAccess::editor);
  run([&]() -> awaitable<void> {
    signInAs("bob");
    const auto refused = co_await browse(instance("/a?b=c", kPort));
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.body.find("Share port 8080"), std::string::npos) << refused.body;
    EXPECT_NE(refused.body.find("value=\"/a?b=c\""), std::string::npos) << refused.body;
    const std::string form = std::string("host=") + kPort + "&path=/a?b=c";
    EXPECT_EQ((co_await post("/auth/port", "Origin: http://evil.com\r\n" + cookiesFor(hostName("")), form)).status, 403);
    EXPECT_TRUE(shared_.empty());
    const auto done = co_await post("/auth/port", "Origin: " + base("") + "\r\n" + cookiesFor(hostName("")), form);
    EXPECT_EQ(done.status, 303) << done.body;
    EXPECT_EQ(done.header("Location"), instance("/a?b=c", kPort));
    EXPECT_EQ(shared_, std::vector<std::string>{"bob 8080"});
    EXPECT_EQ((co_await browse(done.header("Location"))).body, "hello");
  });
}

TEST_F(Ports, areNotSharedByThoseWhoMayNotOpenTheWorkspace) {
  run([&]() -> awaitable<void> {
    signInAs("bob");
    const std::string own = "Origin: " + base("") + "\r\n" + cookiesFor(hostName(""));
    EXPECT_EQ((co_await browse(instance("/", kPort))).status, 404) << "like a missing workspace";
    EXPECT_EQ((co_await post("/auth/port", own, std::string("host=") + kPort)).status, 404);
    share(ShareAccess::viewer);
    EXPECT_EQ((co_await browse(instance("/", kPort))).body.find("Share port"), std::string::npos);
    EXPECT_EQ((co_await post("/auth/port", own, std::string("host=") + kPort)).status, 404);
    share(ShareAccess::editor);
    EXPECT_EQ((co_await post("/auth/port", own, "host=ws")).status, 404) << "VS Code is not a port";
    EXPECT_TRUE(shared_.empty());
  });
}

TEST_F(Ports, openForEveryUserWhoIsSignedInAndNothingElseOfTheWorkspace) {
  open(PortLevel::signedIn);
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await ask(ofVisitor())).status, 401);
    signInAs("bob");
    EXPECT_EQ((co_await browse(instance("/", kPort))).body, "hello");
    EXPECT_EQ((co_await browse(instance("/", "9090.ws"))).status, 404);
    EXPECT_EQ((co_await browse(instance("/"))).status, 404);
    open(PortLevel::shared);
    EXPECT_EQ((co_await ask(ofBob())).status, 401);
  });
}

TEST_F(Ports, openForVisitorsWithoutACookieWhileTheyArePublic) {
  openToEveryone();
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await ask(ofVisitor())).body, "hello");
    EXPECT_EQ((co_await ask(ofVisitor("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nOrigin: http://evil.com\r\n"))).status, 200);
    EXPECT_EQ((co_await ask(ofVisitor({}, "9090.ws"))).status, 401) << "another port";
    EXPECT_EQ((co_await ask(ofVisitor({}, "ws"))).status, 401) << "VS Code";
    EXPECT_EQ(
        (co_await ask(ofVisitor("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nOrigin: http://evil.com\r\n", "9090.ws"))).status,
        403);
    EXPECT_EQ((co_await ask(request("GET /.swarm/status", {}, kPort))).status, 401) << "the gateway's own address";
    (void)co_await ask(ofVisitor("Cookie: " + instanceCookie(ada_.principal, kPort) + "; theirs=1\r\n"));
    EXPECT_EQ(application_->heads.back().find("swarm-"), std::string::npos) << application_->heads.back();
    open(PortLevel::signedIn);
    EXPECT_EQ((co_await ask(ofVisitor())).status, 401);
    openToEveryone();
    EXPECT_EQ((co_await ask(ofVisitor())).status, 200);
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ((co_await ask(ofVisitor())).status, 401) << "at its end, also before the rule is removed";
  });
}

TEST_F(Ports, closeOpenConnectionsOfThoseForWhomTheyAreNotOpenAnyMore) {
  openToEveryone();
  run([&]() -> awaitable<void> {
    auto visitors = co_await openSocket("");
    auto owners = co_await openSocket("Cookie: " + instanceCookie(ada_.principal, kPort) + "\r\n");
    open(PortLevel::shared, 9090);
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 2; })) << "another port's level";
    open(PortLevel::signedIn);
    EXPECT_TRUE(co_await visitors.isClosed());
    auto bobs = co_await openSocket("Cookie: " + instanceCookie(bob_.principal, kPort) + "\r\n");
    open(PortLevel::owner);
    EXPECT_TRUE(co_await bobs.isClosed());
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 1; })) << "the owner stays";
  });
}

TEST_F(Ports, showStrangersNothingOfTheWorkspace) {
  openToEveryone();
  publish([](InstanceRoute& route) {
    route.status = InstanceStatus::failed;
    route.reason = "the disk of ada is full";
  });
  run([&]() -> awaitable<void> {
    for (const std::string& head : {ofVisitor("Accept: text/html\r\n"), ofVisitor()}) {
      const auto response = co_await ask(head);
      EXPECT_EQ(response.status, 503);
      EXPECT_EQ(response.body.find("ada"), std::string::npos) << response.body;
    }
    open(PortLevel::signedIn);
    const auto response = co_await ask(ofBob());
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body.find("ada"), std::string::npos) << response.body;
  });
}

TEST_F(Ports, limitVisitorsByTheirAddressAndLeaveUsersAlone) {
  GatewayOptions limited = options();
  limited.visitors = std::make_shared<OpenBudget>(OpenLimits{.perUser = 1});
  rebuildGateway(std::move(limited));
  openToEveryone();
  run([&]() -> awaitable<void> {
    auto first = co_await openSocket("");
    EXPECT_EQ((co_await ask(ofVisitor())).status, 429);
    application_->script = application_->responding("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ((co_await ask(get("/", {}, kPort))).status, 200);
    first.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 0; }));
    EXPECT_EQ((co_await ask(ofVisitor())).status, 200);
  });
}

TEST_F(Ports, takeAForeignPageForAVisitorAlthoughItsBrowserIsSignedIn) {
  GatewayOptions limited = options();
  limited.visitors = std::make_shared<OpenBudget>(OpenLimits{.perUser = 1});
  rebuildGateway(std::move(limited));
  openToEveryone();
  const std::string cookie = "Cookie: " + instanceCookie(ada_.principal, kPort) + "\r\n";
  const std::string foreign = cookie + "Origin: http://evil.com\r\n";
  run([&]() -> awaitable<void> {
    auto socket = co_await openSocket(foreign);
    EXPECT_EQ((co_await ask(ofVisitor())).status, 429) << "the foreign page has taken the part of visitors, not of ada";
    auto own = co_await openSocket(cookie);
    publish([](InstanceRoute& route) { route.status = InstanceStatus::failed; });
    const auto closed = co_await ask(ofVisitor(foreign + "Sec-Fetch-Site: cross-site\r\n"));
    EXPECT_EQ(closed.body.find("ada"), std::string::npos) << closed.body;
    EXPECT_EQ((co_await ask(request("GET /.swarm/status", foreign, kPort))).status, 403) << "the gateway's own address";
  });
}

TEST_F(Ports, clearWhatAFormerWorkspaceLeftInAVisitorsBrowser) {
  openToEveryone();
  const std::string opens = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
  run([&]() -> awaitable<void> {
    const auto first = co_await ask(ofVisitor(opens));
    EXPECT_EQ(first.body, "hello");
    EXPECT_FALSE(first.header("Clear-Site-Data").empty()) << first.head;
    const std::string mark = first.cookie(names().mark);
    EXPECT_FALSE(mark.empty());
    const std::string cookie = "Cookie: " + mark.substr(0, mark.find(';')) + "\r\n";
    const auto second = co_await ask(ofVisitor(opens + cookie));
    EXPECT_TRUE(second.header("Clear-Site-Data").empty()) << second.head;
    const std::string worker = "Service-Worker: script\r\nSec-Fetch-Dest: serviceworker\r\nSec-Fetch-Mode: same-origin\r\n";
    EXPECT_EQ((co_await ask(ofVisitor(worker + cookie))).status, 200);
    const auto stale = co_await ask(ofVisitor(worker + "Cookie: " + names().mark + "=mark-of-i-former\r\n"));
    EXPECT_EQ(stale.status, 401);
    EXPECT_FALSE(stale.header("Clear-Site-Data").empty()) << stale.head;
  });
}

/// Simple Browser in VS Code.
TEST_F(Ports, showAFrameOfAnEditorWhyTheyAreClosed) {
  share(ShareAccess::editor);
  run([&]() -> awaitable<void> {
    const std::string ports = auth_.issueInstanceCookie(bob_.principal, current_.at("ws").instanceId.str() + ":*");
    const std::string frame =
        "Accept: text/html\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nReferer: " +
        instance("/") + "\r\nCookie: " + names().ports + "=" + ports + "\r\n";
    const auto closed = co_await ask(ofVisitor(frame));
    EXPECT_EQ(closed.status, 403) << closed.head;
    EXPECT_NE(closed.body.find("Open its address in a tab of its own to share it"), std::string::npos) << closed.body;
    EXPECT_NE(closed.header("Content-Security-Policy").find("frame-ancestors 'self' http://ws.localhost"), std::string::npos)
        << closed.head;
    open(PortLevel::shared);
    EXPECT_EQ((co_await ask(ofVisitor(frame))).status, 302) << "to the port's own cookie";
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
