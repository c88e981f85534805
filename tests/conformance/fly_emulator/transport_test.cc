// Cases 1 to 7: credentials, request ids, and unknown paths.
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kList = "/v1/apps?org_slug=personal";
const std::string kInvalidToken = R"({"error":"Authenticate: token validation error"})";

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

TEST_P(FlyRules, case001_aRequestWithoutCredentialsIsUnauthenticated) {
  const FlyResponse response = send({"GET", kList, {}, {}, ""});
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(trimmed(response.text), kInvalidToken);
}

TEST_P(FlyRules, case002_aWrongTokenIsUnauthenticated) {
  const FlyResponse response = send({"GET", kList, {}, {}, "Bearer bad"});
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(trimmed(response.text), kInvalidToken);
}

TEST_P(FlyRules, case003_aMacaroonIsSentBehindFlyV1AndALostSpaceIsRefused) {
  EXPECT_EQ(send({"GET", kList, {}, {}, std::string("FlyV1 ") + kToken}).status, 200);
  EXPECT_EQ(send({"GET", kList, {}, {}, std::string("Bearer ") + kToken}).status, 200);
  EXPECT_EQ(send({"GET", kList, {}, {}, std::string("Bearer FlyV1") + kToken}).status, 401);
}

TEST_P(FlyRules, case004_anUnroutedPathIsNotFoundBeforeCredentialsAreLookedAt) {
  for (const char* authorization : {"", "Bearer bad", "Bearer fm2_good"}) {
    const FlyResponse response = send({"GET", "/v1/nope", {}, {}, authorization});
    EXPECT_EQ(response.status, 404);
    EXPECT_TRUE(response.header("content-type").starts_with("text/plain")) << response.header("content-type");
    EXPECT_EQ(trimmed(response.text), "404 page not found");
  }
}

TEST_P(FlyRules, case005_aTrailingSlashOnACollectionIsUnrouted) {
  createApp();
  EXPECT_EQ(get("/v1/apps/a1/machines").status, 200);
  const FlyResponse response = get("/v1/apps/a1/machines/");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(trimmed(response.text), "404 page not found");
}

TEST_P(FlyRules, case006_everyAnswerHasItsOwnRequestId) {
  const std::string first = get(kList).header("fly-request-id");
  const std::string second = get(kList).header("fly-request-id");
  EXPECT_NE(first, "");
  EXPECT_NE(first, second);
  // send() checks the id of each of these too.
  EXPECT_EQ(send({"GET", kList, {}, {}, ""}).status, 401);
  EXPECT_EQ(get("/v1/nope").status, 404);
  EXPECT_EQ(get("/v1/apps/none").status, 404);
  EXPECT_EQ(post("/v1/apps", R"({"name":"Bad_Name","org_slug":"personal"})").status, 422);
}

TEST_P(FlyRules, case007_anAppOfAnotherOrganisationIsForbidden) {
  const FlyResponse made =
      send({"POST", "/v1/apps", R"({"name":"theirs","org_slug":"elsewhere"})", {}, std::string("Bearer ") + kOtherToken});
  ASSERT_EQ(made.status, 201) << made;
  const FlyResponse response = get("/v1/apps/theirs");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(trimmed(response.text), R"({"error":"unauthorized"})");
  EXPECT_EQ(send({"GET", "/v1/apps/theirs", {}, {}, std::string("Bearer ") + kOtherToken}).status, 200);
}

}  // namespace
}  // namespace swarm::testing
