// Instances that are not available: pages for users, short problems for programs, and the status that open tabs poll.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

std::shared_ptr<const MoveProgress> moveTo(std::string to, std::string step, int percent, bool paused, std::int64_t seconds_left) {
  return std::make_shared<const MoveProgress>(
      MoveProgress{.to = std::move(to), .step = std::move(step), .percent = percent, .paused = paused, .secondsLeft = seconds_left});
}

class Waiting : public GatewayTest {
 protected:
  awaitable<Response> page(std::string_view host = "ws") {
    auto client = co_await connect();
    co_return co_await client.ask(get("/", "Accept: text/html,*/*\r\nSec-Fetch-Mode: navigate\r\n", host));
  }
  awaitable<Response> fetch(std::string_view path = "/", std::string_view host = "ws") {
    auto client = co_await connect();
    co_return co_await client.ask(get(path, "Accept: */*\r\n", host));
  }
  /// A script that a browser requests while it loads a page.
  awaitable<Response> script() {
    auto client = co_await connect();
    co_return co_await client.ask(get("/main.js", "Accept: */*\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n"));
  }
  void pauseMove() {
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::starting;
      route.ready = false;
      route.moving = moveTo("Fly.io (ams)", "final changes", 90, true, 1);
    });
  }
  void arrive() {
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::running;
      route.ready = true;
      route.generation = "g2";
      route.epoch = 2;
    });
  }
};

TEST_F(Waiting, showsStepAndTimeWhileAnInstanceStarts) {
  run([&]() -> awaitable<void> {
    publish([&](InstanceRoute& route) {
      route.status = InstanceStatus::starting;
      route.ready = false;
      route.step = "start <container>";
      route.stepStartedAt = clock_.now();
    });
    clock_.advance(std::chrono::seconds(42));
    const auto response = co_await page();
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.header("Retry-After"), "2");
    EXPECT_NE(response.body.find("start &lt;container&gt;"), std::string::npos);
    EXPECT_NE(response.body.find("42 s"), std::string::npos);
    EXPECT_NE(response.body.find("/.swarm/status"), std::string::npos);
    const auto problem = co_await fetch();
    EXPECT_EQ(problem.status, 503);
    EXPECT_EQ(problem.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(problem.header("Retry-After"), "2");

    publish([](InstanceRoute& route) { route.status = InstanceStatus::running; });
    EXPECT_EQ((co_await page()).status, 503);           // VS Code has not responded yet
    EXPECT_EQ((co_await page("8080.ws")).status, 200);  // a port needs no VS Code
    publish([](InstanceRoute& route) { route.ready = true; });
    EXPECT_EQ((co_await page()).body, "hello");
  });
}

TEST_F(Waiting, showsHowToStartAStoppedInstanceAndDoesNotStartIt) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; });
    const auto response = co_await page();
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.header("Retry-After"), "");
    EXPECT_NE(response.body.find("swarm start ws"), std::string::npos);
    EXPECT_EQ((co_await fetch()).status, 503);
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(Waiting, showsWhyAnInstanceFailed) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::failed;
      route.reason = "The image <none> was not found.";
    });
    EXPECT_NE((co_await page()).body.find("The image &lt;none&gt; was not found."), std::string::npos);
    EXPECT_NE((co_await fetch()).body.find("The image <none> was not found."), std::string::npos);
  });
}

TEST_F(Waiting, showsThatVsCodeIsReconnectingWhenItsTunnelFails) {
  run([&]() -> awaitable<void> {
    application_->refuse = "VS Code is restarting.";
    const auto response = co_await page();
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("VS Code is restarting."), std::string::npos);
    EXPECT_NE(response.body.find("/.swarm/status"), std::string::npos);
  });
}

TEST_F(Waiting, reportsTheStatusFromTheTableWithoutARequestToTheInstance) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.generation = "g2"; });
    const auto response = co_await fetch("/.swarm/status");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"instance":"ws","status":"running","ready":true,"generation":"g2","step":"","reason":"","moving":null,)"
                             R"("home":"http://)" +
                                 hostName("") + R"(/"})");
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::stopped;
      route.generation.clear();
    });
    const auto stopped = co_await fetch("/.swarm/status");
    EXPECT_NE(stopped.body.find(R"("status":"stopped","ready":false)"), std::string::npos);
    EXPECT_EQ(application_->connections, 0);
    EXPECT_EQ((co_await fetch("/.swarm/other")).status, 404);
  });
}

TEST_F(Waiting, distinguishesATabOfADeletedInstanceFromASignedOutOne) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto look = get("/.swarm/status", "Accept: application/json\r\n");
    remove("ws");
    const auto deleted = co_await client.ask(look);
    EXPECT_EQ(deleted.status, 410);
    EXPECT_EQ(deleted.body, R"({"status":"deleted","home":"http://)" + hostName("") + R"(/"})");
    publish([](InstanceRoute& route) { route.instanceId = InstanceId("i-another"); });
    EXPECT_EQ((co_await client.ask(look)).status, 410) << "its name was used again";
    EXPECT_EQ((co_await client.ask(request("GET /.swarm/status", "Accept: application/json\r\n"))).status, 401);
    auth_.revoke(ada_.principal.sessionId);
    EXPECT_EQ((co_await client.ask(look)).status, 401);
  });
}

TEST_F(Waiting, leavesAMovingWorkspaceOpenBeforeThePauseAndReportsItsProgress) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.moving = moveTo("Fly.io (ams)", "copy", 45, false, 31); });
    EXPECT_EQ((co_await page()).body, "hello");
    const auto status = boost::json::parse((co_await fetch("/.swarm/status")).body);
    EXPECT_EQ(status.at("ready"), true);
    const boost::json::value expected{{"to", "Fly.io (ams)"}, {"step", "copy"},  {"stepText", "copying the files"},
                                      {"percent", 45},        {"paused", false}, {"secondsLeft", 31}};
    EXPECT_EQ(status.at("moving"), expected);
  });
}

TEST_F(Waiting, showsTheProgressOfAMoveWithAndWithoutScripts) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::starting;
      route.ready = false;
      route.reason = "It is moving to Fly.io <ams>.";
      route.moving = moveTo("Fly.io <ams>", "final changes", 80, true, 3);
    });
    const auto response = co_await page();
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.header("Retry-After"), "2");
    for (const auto* text : {"is moving to Fly.io &lt;ams&gt;", "<progress", "value=\"80\"", "80 %", "copying the last changes",
                             "about 3 s", "data-kind=\"moving\"", "<noscript><meta http-equiv=\"refresh\""})
      EXPECT_NE(response.body.find(text), std::string::npos) << text;
    EXPECT_EQ(response.body.find("style=\""), std::string::npos);  // the Content-Security-Policy would drop it
    const auto problem = co_await fetch();
    EXPECT_EQ(problem.status, 503);
    EXPECT_EQ(problem.header("Retry-After"), "2");
    EXPECT_NE(problem.body.find("The workspace ws is moving to Fly.io <ams>.\""), std::string::npos) << problem.body;
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(Waiting, hidesTheTimeLeftInAMoveWhenItIsUnknown) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::starting;
      route.moving = moveTo("Docker", "some new step", 250, true, -1);
    });
    const auto response = co_await page();
    EXPECT_NE(response.body.find("<dt id=\"left-name\" hidden>"), std::string::npos);
    EXPECT_NE(response.body.find("some new step"), std::string::npos);
    EXPECT_NE(response.body.find("value=\"100\""), std::string::npos);
  });
}

TEST_F(Waiting, keepsPortsClosedWhileAMoveHasPausedTheWorkspaceAndOpensThemAfterIt) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) {
      route.ready = false;
      route.moving = moveTo("Docker", "verify", 90, true, 1);
    });
    EXPECT_EQ((co_await page("8080.ws")).status, 503);
    EXPECT_EQ((co_await fetch("/", "8080.ws")).status, 503);
    publish([](InstanceRoute& route) {
      route.ready = true;
      route.generation = "g2";
      route.epoch = 2;
      route.moving = moveTo("Docker", "retire source", 99, false, 1);
    });
    EXPECT_EQ((co_await page("8080.ws")).status, 200);
    EXPECT_EQ((co_await page()).status, 200);
  });
}

TEST_F(Waiting, givesPartsOfAPageThatIsBeingLoadedFromTheNewPlace) {
  run([&]() -> awaitable<void> {
    pauseMove();
    bool responded = false;
    const auto load = [&]() -> awaitable<void> {
      const auto response = co_await script();
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(response.body, "hello");
      responded = true;
    };
    asio::co_spawn(context_, load(), asio::detached);
    EXPECT_EQ((co_await page()).status, 503) << "a navigation shows the progress";
    EXPECT_EQ((co_await fetch()).status, 503) << "a program gets a problem at once";
    EXPECT_FALSE(responded);
    EXPECT_EQ(application_->connections, 0);
    arrive();
    EXPECT_TRUE(co_await eventually([&] { return responded; }));
  });
}

TEST_F(Waiting, repeatsATruncatedPartAtTheNewPlace) {
  run([&]() -> awaitable<void> {
    const auto good = application_->script;
    bool requested = false, responded = false;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      co_await application_->readHead(stream, buffer);
      requested = true;
      std::array<char, 1> rest;
      co_await stream.readSome(asio::buffer(rest));  // until it is cut
    };
    const auto load = [&]() -> awaitable<void> {
      EXPECT_EQ((co_await script()).body, "hello");
      responded = true;
    };
    asio::co_spawn(context_, load(), asio::detached);
    EXPECT_TRUE(co_await eventually([&] { return requested; }));
    pauseMove();
    publish([](InstanceRoute& route) { route.epoch = 2; });
    EXPECT_EQ((co_await page()).status, 503);
    application_->script = good;
    arrive();
    EXPECT_TRUE(co_await eventually([&] { return responded; }));
  });
}

TEST_F(Waiting, refusesPartsOfAPageWhenTheMoveTakesTooLong) {
  rebuildGateway({.moveWait = std::chrono::milliseconds(50)});
  run([&]() -> awaitable<void> {
    pauseMove();
    EXPECT_EQ((co_await script()).status, 503);
  });
}

TEST_F(Waiting, refusesPartsOfAPageWhenTheMoveFails) {
  run([&]() -> awaitable<void> {
    pauseMove();
    bool refused = false;
    const auto load = [&]() -> awaitable<void> { refused = (co_await script()).status == 503; };
    asio::co_spawn(context_, load(), asio::detached);
    EXPECT_EQ((co_await page()).status, 503);
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::failed;
      route.moving = nullptr;
    });
    EXPECT_TRUE(co_await eventually([&] { return refused; }));
  });
}

TEST_F(Waiting, showsTheMoveWhenTheOldPlaceClosesBeforeTheTableChanges) {
  run([&]() -> awaitable<void> {
    publish([](InstanceRoute& route) { route.moving = moveTo("Fly.io (ams)", "pause", 70, false, 5); });
    application_->refuse = "This workspace is moving to Fly.io (ams).";
    const auto response = co_await page();
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("data-kind=\"moving\""), std::string::npos);
  });
}

TEST_F(Waiting, followsATableThatChangesBetweenTwoRequestsOfAConnection) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    publish([](InstanceRoute& route) { route.status = InstanceStatus::stopped; });
    EXPECT_EQ((co_await client.ask(get("/"))).status, 503);
    publish([](InstanceRoute& route) {
      route.status = InstanceStatus::running;
      route.epoch = 2;
    });
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);  // no connection of the old place is used
    const auto cookie = get("/");
    remove("ws");
    EXPECT_EQ((co_await client.ask(cookie)).status, 401);
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
