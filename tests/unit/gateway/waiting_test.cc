// Instances that can't be used now: pages for people, short problems for programs, and the status that open tabs watch.
#include "harness.h"

namespace swarm::gateway::testing {
namespace {

class Waiting : public GatewayTest {
 protected:
  awaitable<Answer> page(std::string_view host = "ws") {
    auto client = co_await connect();
    co_return co_await client.ask(get("/", "Accept: text/html,*/*\r\nSec-Fetch-Mode: navigate\r\n", host));
  }
  awaitable<Answer> fetch(std::string_view path = "/", std::string_view host = "ws") {
    auto client = co_await connect();
    co_return co_await client.ask(get(path, "Accept: */*\r\n", host));
  }
};

TEST_F(Waiting, showsStepAndTimeWhileAnInstanceStarts) {
  run([&]() -> awaitable<void> {
    publish([&](Route& route) {
      route.status = InstanceStatus::starting;
      route.ready = false;
      route.step = "start <container>";
      route.stepStartedAt = clock_.now();
    });
    clock_.advance(std::chrono::seconds(42));
    const auto answer = co_await page();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "2");
    EXPECT_NE(answer.body.find("start &lt;container&gt;"), std::string::npos);
    EXPECT_NE(answer.body.find("42 s"), std::string::npos);
    EXPECT_NE(answer.body.find("/.swarm/status"), std::string::npos);
    const auto problem = co_await fetch();
    EXPECT_EQ(problem.status, 503);
    EXPECT_EQ(problem.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(problem.header("Retry-After"), "2");

    publish([](Route& route) { route.status = InstanceStatus::running; });
    EXPECT_EQ((co_await page()).status, 503);            // VS Code has not answered yet
    EXPECT_EQ((co_await page("8080--ws")).status, 200);  // a port needs no VS Code
    publish([](Route& route) { route.ready = true; });
    EXPECT_EQ((co_await page()).body, "hello");
  });
}

TEST_F(Waiting, tellsHowToStartAStoppedInstanceAndDoesNotStartIt) {
  run([&]() -> awaitable<void> {
    publish([](Route& route) { route.status = InstanceStatus::stopped; });
    const auto answer = co_await page();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "");
    EXPECT_NE(answer.body.find("swarm start ws"), std::string::npos);
    EXPECT_EQ((co_await fetch()).status, 503);
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(Waiting, tellsWhyAnInstanceFailed) {
  run([&]() -> awaitable<void> {
    publish([](Route& route) {
      route.status = InstanceStatus::failed;
      route.reason = "The image <none> was not found.";
    });
    EXPECT_NE((co_await page()).body.find("The image &lt;none&gt; was not found."), std::string::npos);
    EXPECT_NE((co_await fetch()).body.find("The image <none> was not found."), std::string::npos);
  });
}

TEST_F(Waiting, showsThatVsCodeIsComingBackWhenItsTunnelFails) {
  run([&]() -> awaitable<void> {
    application_->refuse = "VS Code is restarting.";
    const auto answer = co_await page();
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.body.find("VS Code is restarting."), std::string::npos);
    EXPECT_NE(answer.body.find("/.swarm/status"), std::string::npos);
  });
}

TEST_F(Waiting, answersStatusFromTheTableWithoutTouchingTheInstance) {
  run([&]() -> awaitable<void> {
    publish([](Route& route) { route.generation = "g2"; });
    const auto answer = co_await fetch("/.swarm/status");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"instance":"ws","status":"running","ready":true,"generation":"g2","step":"","reason":""})");
    publish([](Route& route) {
      route.status = InstanceStatus::stopped;
      route.generation.clear();
    });
    const auto stopped = co_await fetch("/.swarm/status");
    EXPECT_NE(stopped.body.find(R"("status":"stopped","ready":false)"), std::string::npos);
    EXPECT_EQ(application_->connections, 0);
    EXPECT_EQ((co_await fetch("/.swarm/other")).status, 404);
  });
}

TEST_F(Waiting, followsATableThatChangesBetweenTwoRequestsOfAConnection) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    publish([](Route& route) { route.status = InstanceStatus::stopped; });
    EXPECT_EQ((co_await client.ask(get("/"))).status, 503);
    publish([](Route& route) {
      route.status = InstanceStatus::running;
      route.epoch = 2;
    });
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);  // nothing of the old place is used
    const auto cookie = get("/");
    remove("ws");
    EXPECT_EQ((co_await client.ask(cookie)).status, 401);
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
