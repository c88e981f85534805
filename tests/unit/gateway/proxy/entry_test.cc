// Entries and forms in the audit log: recorded once in an interval, before the workspace is reached.
#include "audit/audit.h"
#include "support/memory_audit.h"
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class Entries : public BrowserTest {
 protected:
  Entries() {
    GatewayOptions options;
    options.audit = &audit_;
    auto done = [](Principal, InstanceId) -> awaitable<void> { co_return; };
    options.actions = {.create = [](Principal, std::string name) -> awaitable<std::string> { co_return name; },
                       .start = done,
                       .stop = done,
                       .sharePort = {}};
    rebuildGateway(std::move(options));
  }
  awaitable<int> statusOf(std::string request) {
    auto client = co_await connect();
    co_return (co_await client.ask(std::move(request))).status;
  }

  test::MemoryAudit memory_;
  Audit audit_{memory_, clock_};
};

TEST_F(Entries, areRecordedOnceForManyRequests) {
  run([&]() -> awaitable<void> {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await statusOf(get("/", "User-Agent: Browser/1\r\n")), 200);
    const auto records = memory_.of("openVscode");
    EXPECT_EQ(records.size(), 1U);
    EXPECT_EQ(records.at(0).user, "ada");
    EXPECT_EQ(records.at(0).object, "ws");
    EXPECT_EQ(records.at(0).objectId, current_.at("ws").instanceId.str());
    EXPECT_EQ(records.at(0).owner, current_.at("ws").owner);
    EXPECT_EQ(records.at(0).address, "127.0.0.1");
    EXPECT_EQ(records.at(0).client, "Browser/1");
    clock_.advance(std::chrono::minutes(15));
    EXPECT_EQ(co_await statusOf(get("/")), 200);
    EXPECT_EQ(memory_.of("openVscode").size(), 2U);
  });
}

TEST_F(Entries, areRecordedForEachPort) {
  run([&]() -> awaitable<void> {
    for (const char* host : {"8080.ws", "8080.ws", "9090.ws"}) EXPECT_EQ(co_await statusOf(get("/", {}, host)), 200);
    const auto records = memory_.of("openPort");
    EXPECT_EQ(records.size(), 2U);
    EXPECT_EQ(records.at(0).after.at("port"), "8080");
    EXPECT_EQ(records.at(1).after.at("port"), "9090");
  });
}

TEST_F(Entries, areNotMadeWhenTheyCannotBeRecorded) {
  run([&]() -> awaitable<void> {
    memory_.failure = Error(ErrorCode::OutOfResources, "The server's disk is full.");
    auto client = co_await connect();
    const auto refused = co_await client.ask(get("/", "Accept: text/html\r\n"));
    EXPECT_EQ(refused.status, 507);
    EXPECT_NE(refused.body.find("cannot be recorded in the audit log"), std::string::npos) << refused.body;
    EXPECT_TRUE(application_->heads.empty()) << "nothing was forwarded";
    memory_.failure.reset();
    EXPECT_EQ(co_await statusOf(get("/")), 200);
  });
}

TEST_F(Entries, requestsWithoutASignInAreNone) {
  run([&]() -> awaitable<void> {
    EXPECT_EQ(co_await statusOf(request("GET /", "Accept: application/json\r\n")), 401);
    EXPECT_TRUE(memory_.records().empty());
  });
}

TEST_F(Entries, thatAreRefusedAreRecordedAlsoForWorkspacesThatDoNotExist) {
  run([&]() -> awaitable<void> {
    auth_.adminsMayEnter = false;
    signInAs("root");
    EXPECT_EQ((co_await browse(instance("/", "8080.ws"))).status, 403);
    const auto records = memory_.of("openPort");
    EXPECT_EQ(records.size(), 1U);
    EXPECT_EQ(records.at(0).user, "root");
    EXPECT_EQ(records.at(0).result, AuditResult::refused);
    EXPECT_EQ(records.at(0).object, "ws");
    EXPECT_EQ(records.at(0).owner, current_.at("ws").owner);
    EXPECT_EQ(records.at(0).after.at("port"), "8080");
    EXPECT_EQ((co_await browse(base("/auth/instance?host=none"))).status, 404);
    EXPECT_EQ(memory_.of("openVscode").at(0).object, "none");
    EXPECT_EQ(memory_.of("openVscode").at(0).status, 404);
  });
}

TEST_F(Entries, aSecondFactorIsSetUpByTheUserOfItsTicketBeforeTheyAreSignedIn) {
  run([&]() -> awaitable<void> {
    auto confirm = [&](std::string code) {
      return post("/second-factor/confirm", cookiesFor(hostName("")) + "Origin: " + base("") + "\r\n", "ticket=ticket-ada&code=" + code);
    };
    EXPECT_EQ((co_await confirm("1")).status, 400);
    EXPECT_EQ((co_await confirm("123456")).status, 200);
    signInAs("bob");
    EXPECT_EQ((co_await confirm("123456")).status, 200);
    signInAs("ada");
    EXPECT_EQ((co_await confirm("123456")).status, 200);
    const auto records = memory_.of("confirmSecondFactor");
    EXPECT_EQ(records.size(), 4U);
    for (const AuditRecord& record : records) {
      EXPECT_EQ(record.user, "ada");
      EXPECT_EQ(record.role, "user");
      EXPECT_EQ(record.object, "ada");
    }
    EXPECT_EQ(records.at(2).session, "") << "not the session of the other user";
    EXPECT_NE(records.at(3).session, "");
  });
}

TEST_F(Entries, formsOfThePagesAreRecordedAsChanges) {
  run([&]() -> awaitable<void> {
    signInAs("ada");
    const std::string fields = cookiesFor(hostName("")) + "Origin: " + base("") + "\r\n";
    EXPECT_EQ((co_await post("/workspaces/stop", fields, "name=ws")).status, 303);
    EXPECT_EQ((co_await post("/workspaces/create", fields, "name=web1")).status, 303);
    EXPECT_EQ(memory_.of("stopInstance").at(0).objectId, current_.at("ws").instanceId.str());
    EXPECT_EQ(memory_.of("createInstance").at(0).object, "web1");
    EXPECT_EQ((co_await post("/workspaces/stop", fields, "name=not-there")).status, 404);
    EXPECT_EQ(memory_.of("stopInstance").at(1).result, AuditResult::refused);
    EXPECT_EQ((co_await post("/workspaces/delete", fields, "name=ws")).status, 404);
    EXPECT_TRUE(memory_.of("deleteInstance").empty()) << "not an action of this page";
    EXPECT_EQ((co_await post("/logout", fields, "")).status, 200);
    EXPECT_EQ(memory_.of("signOut").size(), 1U);
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
