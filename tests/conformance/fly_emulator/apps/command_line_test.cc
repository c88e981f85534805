// What Fly's command line requests besides the Machines API: GraphQL with the types that its client library decodes, and the routes of
// Fly's web application.
#include <algorithm>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

/// A document with its variables, as a body.
json::object document(std::string_view query, json::object variables = {}) {
  return {{"query", query}, {"variables", std::move(variables)}};
}

std::vector<std::string> textsAt(const json::value& list, std::string_view pointer) {
  std::vector<std::string> texts;
  for (const json::value& one : list.as_array()) texts.push_back(textAt(one, pointer));
  return texts;
}

TEST_P(FlyRules, graphQlNamesTheOrganizationsNumberAsAText) {
  createApp();
  const FlyResponse response = post(
      "/graphql", document("query ($n: String!) { appcompact: app(name: $n) { organization { internalNumericId } } }", {{"name", "a1"}}));
  EXPECT_TRUE(response.body.at_pointer("/data/appcompact/organization/internalNumericId").is_string()) << response;
  EXPECT_TRUE(response.body.at_pointer("/data/appcompact/internalNumericId").is_int64()) << response;
}

TEST_P(FlyRules, graphQlListsTheAppsOfAnOrganizationInTheirOrder) {
  createApp("second-made-first");
  createApp("a1");
  constexpr std::string_view kQuery =
      "query ($org: ID) { apps(first: 200, organizationId: $org) { pageInfo { hasNextPage } nodes { name } } }";
  const FlyResponse all = post("/graphql", document(kQuery));
  EXPECT_EQ(textsAt(all.body.at_pointer("/data/apps/nodes"), "/name"), (std::vector<std::string>{"second-made-first", "a1"}));
  EXPECT_EQ(all.at("/data/apps/pageInfo/hasNextPage"), "false");
  EXPECT_EQ(post("/graphql", document(kQuery, {{"org", "personal"}})).body, all.body);
  EXPECT_EQ(post("/graphql", document(kQuery, {{"org", "elsewhere"}})).at("/data/apps/nodes"), "[]");
}

TEST_P(FlyRules, graphQlNamesANetworkOnlyWhenItIsTheAppsOwn) {
  post("/v1/apps", R"({"name":"usual","org_slug":"personal"})");
  post("/v1/apps", R"({"name":"apart","org_slug":"personal","network":"inner"})");
  const json::value all = post("/graphql", document("query { apps { nodes { name network } } }")).body;
  EXPECT_EQ(textsAt(all.at_pointer("/data/apps/nodes"), "/network"), (std::vector<std::string>{"null", "inner"}));
}

TEST_P(FlyRules, graphQlFindsTheAppOfAMachine) {
  createApp();
  const FlyMachine machine = create(machineRequest());
  constexpr std::string_view kQuery = "query ($id: String!) { gqlmachine: machine(machineId: $id) { id app { name } } }";
  const FlyResponse found = post("/graphql", document(kQuery, {{"machineId", machine.id}}));
  EXPECT_EQ(found.at("/data/gqlmachine/id"), machine.id);
  EXPECT_EQ(found.at("/data/gqlmachine/app/name"), "a1");
  const FlyResponse missing = post("/graphql", document(kQuery, {{"machineId", "3d8d413b29d089"}}));
  EXPECT_EQ(missing.at("/errors/0/message"), "Could not find Machine");
  EXPECT_EQ(missing.at("/errors/0/extensions/code"), "NOT_FOUND");
}

TEST_P(FlyRules, anAppThatGraphQlDoesNotFindIsNamedAsFlyNamesIt) {
  const FlyResponse response = post("/graphql", document("query { app(name: $n) { id } }", {{"name", "no-such-app"}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.at("/errors/0/message"), "Could not find App") << "the client offers to create the app";
}

TEST_P(FlyRules, noImageIsOneThatFlyUpdates) {
  const FlyResponse response =
      post("/graphql", document("query ($image: String!) { latestImageDetails(image: $image) { tag } }", {{"image", "a:1"}}));
  EXPECT_EQ(response.at("/errors/0/message"), "Unknown repository") << "the client continues without an update";
}

TEST_P(FlyRules, graphQlRefusesABadTokenInItsOwnForm) {
  const FlyResponse response = send({"POST", "/graphql", R"({"query":"query { viewer { email } }"})", {}, "Bearer wrong"});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.at("/errors/0/extensions/code"), "UNAUTHORIZED");
}

TEST_P(FlyRules, aMutationThatTheMachinesApiRefusesIsAnErrorOfGraphQl) {
  createApp();
  const FlyResponse response = post("/graphql", document("mutation ($input: In!) { allocateIpAddress(input: $input) { app { name } } }",
                                                         {{"input", {{"appId", "a1"}, {"type", "v6"}, {"region", "no-such-region"}}}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.at("/errors/0/message"), "unknown region: no-such-region") << response;
}

TEST_P(FlyRules, graphQlHasSharedAndEgressAddressesApartFromTheOthers) {
  createApp();
  constexpr std::string_view kAllocate = "mutation ($input: In!) { allocateIpAddress(input: $input) { ipAddress { address } } }";
  for (const char* type : {"v6", "shared_v4"})
    EXPECT_FALSE(post("/graphql", document(kAllocate, {{"input", {{"appId", "a1"}, {"type", type}}}})).body.as_object().contains("errors"));
  const FlyResponse egress = post("/graphql", document("mutation ($input: In!) { allocateEgressIpAddress(input: $input) { v4, v6 } }",
                                                       {{"input", {{"appId", "a1"}, {"region", "ams"}}}}));
  const std::string address = egress.at("/data/allocateEgressIpAddress/v6");
  constexpr std::string_view kList = "query ($n: String!) { app(name: $n) { ipAddresses { nodes { type } } } }";
  const json::value listed = post("/graphql", document(kList, {{"appName", "a1"}})).body;
  EXPECT_EQ(textsAt(listed.at_pointer("/data/app/ipAddresses/nodes"), "/type"), std::vector<std::string>{"v6"});
  EXPECT_EQ(textAt(listed, "/data/app/sharedIpAddress"), get("/v1/apps/a1/ip_assignments").at("/ips/1/ip"));
  EXPECT_EQ(textsAt(listed.at_pointer("/data/app/egressIpAddresses/nodes"), "/region"), (std::vector<std::string>{"ams", "ams"}));

  post("/graphql", document("mutation ($input: In!) { releaseEgressIpAddress(input: $input) { v4 v6 } }",
                            {{"input", {{"appId", "a1"}, {"ip", address}}}}));
  const json::value after = post("/graphql", document(kList, {{"appName", "a1"}})).body;
  EXPECT_EQ(textsAt(after.at_pointer("/data/app/egressIpAddresses/nodes"), "/version"), std::vector<std::string>{"4"});
}

TEST_P(FlyRules, aFlycastAddressIsOfTheNetworkThatGraphQlNames) {
  createApp();
  post("/graphql", document("mutation ($input: In!) { allocateIpAddress(input: $input) { ipAddress { address } } }",
                            {{"input", {{"appId", "a1"}, {"type", "private_v6"}, {"network", "inner"}}}}));
  EXPECT_EQ(get("/v1/apps/a1/ip_assignments").at("/ips/0/network/name"), "inner");
}

TEST_P(FlyRules, secretsAreReadWithTheVersionThatTheClientWrote) {
  createApp();
  const FlyResponse written = post("/v1/apps/a1/secrets", R"({"values":{"TOKEN":"one"}})");
  const std::string version = written.at("/version");
  EXPECT_EQ(get("/v1/apps/a1/secrets?version=" + version).at("/secrets/0/name"), "TOKEN");
  EXPECT_EQ(get("/v1/apps/a1/secrets?version=" + std::to_string(std::stoi(version) + 1)).status, 400);
}

TEST_P(FlyRules, theLogHasAMachinesEventsOnceAndInTheirOrder) {
  createApp();
  const FlyMachine machine = stopped();
  const FlyResponse log = get("/api/v1/apps/a1/logs?next_token=");
  const std::vector<std::string> ids = textsAt(log.body.at("data"), "/id");
  EXPECT_GE(ids.size(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(log.at("/data/0/attributes/instance"), machine.id);
  EXPECT_EQ(log.at("/data/0/attributes/meta/event/provider"), "runner");
  const std::string token = log.at("/meta/next_token");
  EXPECT_EQ(token, ids.back());
  const FlyResponse later = get("/api/v1/apps/a1/logs?next_token=" + token);
  EXPECT_EQ(later.at("/data"), "[]");
  EXPECT_EQ(later.at("/meta/next_token"), token);
  EXPECT_EQ(get("/api/v1/apps/a1/logs?instance=3d8d413b29d089").at("/data"), "[]");
}

TEST_P(FlyRules, aBuildThatAClientReportsGetsANumber) {
  createApp();
  const FlyResponse made = post("/api/v1/builds", R"({"app_name":"a1","builder_type":"remote"})");
  EXPECT_EQ(made.status, 200) << made;
  const FlyResponse finished = post("/api/v1/builds/finish", R"({"build_id":)" + made.at("/id") + R"(,"status":"completed"})");
  EXPECT_EQ(finished.at("/id"), made.at("/id"));
  EXPECT_EQ(finished.at("/status"), "completed");
  EXPECT_EQ(get("/api/v1/apps/a1/releases?limit=20").at("/releases"), "[]");
}

}  // namespace
}  // namespace swarm::testing
