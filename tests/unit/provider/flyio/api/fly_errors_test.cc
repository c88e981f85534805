// Bodies of every shape, the capacity classifier over the catalogue of docs/reference/fly-machines.md §12, and the codes that errors get.
#include "provider/flyio/api/fly_errors.h"

#include <gtest/gtest.h>

#include "base/text/untrusted_text.h"

namespace swarm::flyio {
namespace {

FlyFault faultOf(int status, std::string_view body) { return readFault(status, body, "01J-yyz"); }

TEST(FlyErrors, readsEveryShapeOfBody) {
  EXPECT_EQ(faultOf(404, R"({"error":"machine not found"})").text, "machine not found");
  EXPECT_EQ(faultOf(401, R"({"message":"Unauthorized"})").text, "Unauthorized");
  EXPECT_EQ(faultOf(400, R"({"error":"a","message":"b"})").text, "b");
  EXPECT_EQ(faultOf(404, "404 page not found").text, "404 page not found");
  EXPECT_EQ(faultOf(502, "<html><head><title>Bad\n Gateway</title></head></html>").text, "status 502 with an HTML page, \"Bad Gateway\"");
  EXPECT_EQ(faultOf(502, "<!DOCTYPE html><p>").text, "status 502 with an HTML page");
  EXPECT_EQ(faultOf(500, "").text, "the API failed and gave no reason (status 500)");
  EXPECT_EQ(faultOf(500, "{}").text, "the API failed and gave no reason (status 500)");
  EXPECT_EQ(faultOf(504, "").text, "the API did not respond to Fly's proxy in time (status 504)");
  EXPECT_NE(flyError(faultOf(504, ""), "start the Machine").message().find("status.flyio.net"), std::string::npos);
  EXPECT_EQ(faultOf(500, "[1,2]").text, "[1,2]");
  EXPECT_EQ(faultOf(400, R"({"error":{"deep":1}})").text, "no reason was given (status 400)");
  EXPECT_LT(faultOf(500, std::string(100'000, 'x')).text.size(), 600u);
}

TEST(FlyErrors, areShortAndPrintableWhateverTheBody) {
  for (const std::string& body : {std::string(R"({"error":"no \u001b[31mroom\u202e \u009b"})"), std::string("plain \x1b]0;x\x07 \xff"),
                                  "<html><title>\x1b[2J" + std::string(20'000'000, 'x') + "</title>", std::string(20'000'000, '[')}) {
    const FlyFault fault = faultOf(500, body);
    EXPECT_EQ(fault.text, printable(fault.text));
    EXPECT_LT(fault.text.size(), 600u);
  }
}

TEST(FlyErrors, aCodeIsOneOfTheApisOwn) {
  EXPECT_EQ(faultOf(422, R"({"error":"x","status":"name_taken"})").code, "name_taken");
  EXPECT_EQ(faultOf(409, R"({"status":"error","message":"lease currently held by a","code":"invalid"})").code, "");
}

TEST(FlyErrors, findsWhereThereIsNoRoom) {
  auto shortage = [](int status, std::string_view body) { return shortageOf(faultOf(status, body)); };
  EXPECT_EQ(shortage(422, R"({"error":"could not find a candidate host","status":"insufficient_capacity"})"), Shortage::Region);
  EXPECT_EQ(shortage(503, R"({"error":"out of capacity","status":"insufficient_capacity"})"), Shortage::Region);
  EXPECT_EQ(
      shortage(
          412,
          R"({"error":"insufficient resources to create new machine with existing volume id 'vol_1'","status":"volume_placement_capacity"})"),
      Shortage::VolumeHost);
  EXPECT_EQ(shortage(412, R"({"error":"insufficient resources to create new machine with existing volume id 'vol_1'"})"),
            Shortage::VolumeHost);
  EXPECT_EQ(
      shortage(409, R"({"error":"aborted: could not reserve resource for machine: insufficient memory available to fulfill request"})"),
      Shortage::Host);
  EXPECT_EQ(shortage(409, R"({"error":"aborted: insufficient CPUs available to fulfill request on the current host"})"), Shortage::Host);
  EXPECT_EQ(shortage(409, R"({"error":"aborted: insufficient IPs available to fulfill request"})"), Shortage::Host);
  EXPECT_EQ(shortage(409, R"({"error":"aborted: no capacity"})"), Shortage::Region);
  EXPECT_EQ(shortage(400, R"({"error":"no capacity"})"), Shortage::Region);
  EXPECT_EQ(
      shortage(
          403,
          R"({"error":"organization \"k\" is using 1970176 MB of memory in dfw which is over the allowed quota. please consider other regions"})"),
      Shortage::Region);
}

TEST(FlyErrors, takesNothingElseForAShortage) {
  auto shortage = [](int status, std::string_view body) { return shortageOf(faultOf(status, body)); };
  EXPECT_EQ(shortage(409, R"({"error":"aborted: no capacity","status":"unknown"})"), Shortage::None) << "a code says more than its text";
  EXPECT_EQ(shortage(503, R"({"error":"aborted: no capacity"})"), Shortage::None) << "texts of 5xx are never consulted";
  EXPECT_EQ(shortage(400, R"({"error":"insufficient memory available"})"), Shortage::None);
  EXPECT_EQ(shortage(409, R"({"error":"aborted: machine update failed due to concurrent update"})"), Shortage::None);
  EXPECT_EQ(shortage(403, R"({"error":"unauthorized"})"), Shortage::None);
  EXPECT_EQ(shortage(429, ""), Shortage::None);
}

TEST(FlyErrors, errorsCarryStatusRequestAndAdvice) {
  Error error = flyError(faultOf(401, R"({"error":"Authenticate: token validation error"})"), "list apps");
  EXPECT_EQ(error.code(), ErrorCode::PermissionDenied);
  EXPECT_FALSE(error.retryable());
  EXPECT_EQ(error.upstream().status, 401);
  EXPECT_EQ(error.upstream().requestId, "01J-yyz");
  EXPECT_NE(error.message().find("fly tokens create"), std::string::npos);
  EXPECT_NE(error.message().find("could not list apps: Authenticate: token validation error."), std::string::npos) << error.message();
}

TEST(FlyErrors, everyRowOfTheCatalogueHasItsCode) {
  auto code = [](int status, std::string_view body) { return flyError(faultOf(status, body), "do it").code(); };
  EXPECT_EQ(code(403, R"({"error":"unauthorized"})"), ErrorCode::PermissionDenied);
  EXPECT_EQ(code(404, R"({"error":"app not found"})"), ErrorCode::UpstreamFailed);
  EXPECT_EQ(code(408, R"({"error":"deadline_exceeded: x"})"), ErrorCode::DeadlineExceeded);
  EXPECT_EQ(code(409, R"({"error":"aborted: no capacity"})"), ErrorCode::OutOfResources);
  EXPECT_EQ(code(409, R"({"error":"version conflict"})"), ErrorCode::Conflict);
  EXPECT_EQ(code(412, R"({"error":"failed_precondition: machine not running"})"), ErrorCode::Conflict);
  EXPECT_EQ(code(422, R"({"error":"To create more than 1 machine per app please add a payment method."})"), ErrorCode::Unprocessable);
  EXPECT_EQ(code(400, R"({"error":"invalid config.guest.memory_mb, minimum required 1024 MiB"})"), ErrorCode::Unprocessable);
  EXPECT_EQ(code(429, ""), ErrorCode::TooManyRequests);
  EXPECT_EQ(code(500, ""), ErrorCode::UpstreamFailed);
  EXPECT_EQ(code(502, "<html>"), ErrorCode::Unavailable);
  EXPECT_EQ(code(503, R"({"error":"out of capacity","status":"insufficient_capacity"})"), ErrorCode::OutOfResources);
}

TEST(FlyErrors, readsTheMachineThatStandsInTheWay) {
  EXPECT_EQ(machineIdIn(R"(already_exists: unique machine name violation, machine ID 1857156b526dd8 already exists with name "x")"),
            "1857156b526dd8");
  EXPECT_EQ(machineIdIn("failed_precondition: volume is currently bound to machine: 1857156b526dd8"), "1857156b526dd8");
  EXPECT_EQ(machineIdIn("volume already claimed by machine 1857156b526dd8"), "1857156b526dd8");
  EXPECT_EQ(machineIdIn("no machine here"), "");
}

TEST(FlyErrors, recognizesTemporaryFailures) {
  for (std::string_view text :
       {"failed_precondition: unable to start machine from current state: 'created'",
        "failed_precondition: machine getting replaced, refusing to start", "failed_precondition: machine still active, refusing to start",
        "failed_precondition: machine still attempting to start", "failed_precondition: volume is currently bound to machine: 1"}) {
    EXPECT_TRUE(isTemporary({412, std::string(text), "", ""})) << text;
  }
  EXPECT_FALSE(isTemporary({412, "failed_precondition: machine not running", "", ""}));
  EXPECT_FALSE(isTemporary({400, "machine still active, refusing to start", "", ""}));
}

}  // namespace
}  // namespace swarm::flyio
