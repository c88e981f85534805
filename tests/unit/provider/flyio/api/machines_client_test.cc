// MachinesClient against a scripted server: what is found, what is absent, and what is neither.
#include "provider/flyio/api/machines_client.h"

#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

using Client = ScriptedParts;

TEST_F(Client, aRefusedCreateHasItsReasonAndALostOneAnUnknownResult) {
  fly_.respond(
      "POST /v1/apps/a1/machines",
      {{409, R"({"error":"already_exists: unique machine name violation, machine ID 18 already exists"})"}, {502, "<html>"}, {200, "{}"}});
  MachineRequest request{.app = "a1", .name = "x", .region = "ams"};
  FlyResult<Machine> taken = loop_.run(client_.createMachine(request, soon()));
  ASSERT_FALSE(taken);
  EXPECT_TRUE(isMachineNameTaken(taken.error().fault()));
  EXPECT_FALSE(taken.error().isFateOpen());
  EXPECT_NE(taken.error().error(" from alpine").message().find("create the Machine in ams from alpine"), std::string::npos);
  for (const char* what : {"a lost response", "a response without a Machine"}) {
    FlyResult<Machine> unknown = loop_.run(client_.createMachine(request, soon()));
    ASSERT_FALSE(unknown) << what;
    EXPECT_TRUE(unknown.error().isFateOpen()) << what;
  }
}

TEST_F(Client, aProxysPageDoesNotConfirmAStart) {
  fly_.respond("POST /v1/apps/a1/machines/m1/start", {{200, "<html>"}});
  FlyResult<void> started = loop_.run(client_.startMachine(machine(), "", soon()));
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().isFateOpen());
}

TEST_F(Client, theAffinityCookieGoesBack) {
  fly_.respond("POST /v1/apps/a1/machines", {{200, R"({"id":"m1"})", {{"Set-Cookie", "fly_flaps_affinity=host-7; Path=/v1/apps/a1"}}}});
  fly_.respond("GET /v1/apps/a1/machines/m1", {{200, R"({"id":"m1"})"}});
  EXPECT_TRUE(loop_.run(client_.createMachine({.app = "a1", .name = "x"}, soon())));
  loop_.run(client_.findMachine("a1", "m1", soon()));
  EXPECT_EQ(fly_.requests().back().cookie, "fly_flaps_affinity=host-7");
}

TEST_F(Client, aNewThingMayBeUnknownForAWhile) {
  fly_.respond("GET /v1/apps/a1/machines/m1",
               {{404, R"({"error":"machine not found"})"}, {404, R"({"error":"machine not found"})"}, {200, R"({"id":"m1"})"}});
  EXPECT_TRUE(loop_.run(client_.findMachine("a1", "m1", soon(), Age::New)));
  for (const char* unknown : {"m2", "m3"}) {
    fly_.respond(std::string("GET /v1/apps/a1/machines/") + unknown, {{404, R"({"error":"machine not found"})"}});
  }
  EXPECT_FALSE(loop_.run(client_.findMachine("a1", "m2", soon(), Age::New)));
  int before = fly_.count("GET /v1/apps/a1/machines/m3");
  EXPECT_FALSE(loop_.run(client_.findMachine("a1", "m3", soon())));
  EXPECT_EQ(fly_.count("GET /v1/apps/a1/machines/m3"), before + 1);
}

TEST_F(Client, anUnknownPathDoesNotMeanAbsence) {
  for (const char* body : {"404 page not found", "<html><title>Not Found</title></html>"}) {
    fly_.respond("GET /v1/apps/a1/machines/m1", {{404, body}});
    EXPECT_THROW(loop_.run(client_.findMachine("a1", "m1", soon())), Error) << body;
  }
}

TEST_F(Client, anUnexpectedBodyInASuccessfulResponseIsAnError) {
  for (std::string_view body : {"<html>", "{", "\"text\"", "[]", "7"}) {
    fly_.respond("GET /v1/apps/a1/machines/m1", {{200, std::string(body)}});
    EXPECT_THROW(loop_.run(client_.findMachine("a1", "m1", soon())), Error) << body;
  }
  fly_.respond("GET /v1/apps/a1/machines", {{200, "{}"}});
  EXPECT_THROW(loop_.run(client_.listMachines("a1", soon())), Error);
}

TEST_F(Client, aWaitThatTimesOutDoesNotFail) {
  fly_.respond("GET /v1/apps/a1/machines/m1/wait", {{408, R"({"error":"deadline_exceeded: machine failed to reach desired state"})"},
                                                    {200, R"({"ok":true,"state":"started"})"},
                                                    {404, R"({"error":"machine not found"})"}});
  constexpr MachineState kStartedOrFailed[]{MachineState::started, MachineState::failed};
  Machine machine;
  machine.app = "a1";
  machine.id = "m1";
  machine.version = "01HEPA330HZ37A78TK080NAK1M";
  EXPECT_FALSE(loop_.run(client_.wait(machine, kStartedOrFailed, std::chrono::seconds(5), soon())).reached);
  EXPECT_EQ(fly_.requests().back().line,
            "GET /v1/apps/a1/machines/m1/wait?state=started,failed&timeout=5&version=01HEPA330HZ37A78TK080NAK1M");
  EXPECT_EQ(loop_.run(client_.wait(machine, kStartedOrFailed, std::chrono::seconds(5), soon())).state, MachineState::started);
  EXPECT_FALSE(loop_.run(client_.wait(machine, kStartedOrFailed, std::chrono::seconds(5), soon())).reached);
}

}  // namespace
}  // namespace swarm::flyio
