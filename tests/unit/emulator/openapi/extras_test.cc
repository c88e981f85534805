// The documented extras, real clients' requests, and responses.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "emulator/openapi/checker.h"
#include "emulator/openapi/extras.h"
#include "support/fly_response_check.h"

namespace swarm::emulator::openapi {
namespace {

constexpr std::string_view kMachine = "/v1/apps/a1/machines/1857156b526dd8";

std::string verdict(std::string_view method, std::string path, std::string_view query = "", std::string_view body = "") {
  return describe(check({method, path, query, body.empty() ? "" : "application/json", body}));
}
std::string onMachine(std::string_view method, std::string_view suffix, std::string_view query = "", std::string_view body = "") {
  return verdict(method, std::string(kMachine) + std::string(suffix), query, body);
}

TEST(Extras, sayWhereEachOfThemIsDocumented) {
  for (const Extra& extra : extras()) {
    EXPECT_TRUE(extra.source.starts_with("§")) << extra.place;
    EXPECT_NO_THROW(boost::json::parse(extra.value)) << extra.place;
  }
}

TEST(Extras, letAnAppBeCreatedByItsOldName) {
  EXPECT_EQ(verdict("POST", "/v1/apps", "", R"({"app_name":"a2","org_slug":"personal"})"), "");
  EXPECT_EQ(verdict("POST", "/v1/apps", "wait=true", R"({"name":"a2","org_slug":"personal","network":"a2","app_role_id":""})"), "");
  EXPECT_EQ(verdict("DELETE", "/v1/apps/a2", "force=true"), "");
}

TEST(Extras, letFlysOwnClientThrough) {
  EXPECT_EQ(onMachine("DELETE", "", "kill=true"), "");
  EXPECT_EQ(onMachine("POST", "/restart", "force_stop=true&timeout=5s&signal=SIGTERM"), "");
  EXPECT_EQ(onMachine("POST", "/stop", "", R"({"id":"1857156b526dd8","signal":"SIGINT","timeout":"0s"})"), "");
  EXPECT_EQ(onMachine("POST", "/signal", "", R"({"signal":9})"), "");
  EXPECT_EQ(onMachine("POST", "/lease", "ttl=120"), "");
  EXPECT_EQ(onMachine("POST", "/lease", "", R"({"description":"","ttl":5})"), "");
  EXPECT_EQ(onMachine("GET", "/wait", "state=started,stopped&state=failed&timeout=60&version=01HEPA330HZ37A78TK080NAK1M"), "");
}

TEST(Extras, letBytesBeBase64AndSecretsBeReadWithAVersion) {
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/secretkeys/k/sign", "", R"({"plaintext":"aGk="})"), "");
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/secretkeys/k/sign", "", R"({"plaintext":[104,105]})"), "");
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/secrets", "version=3"), "");
  EXPECT_NE(verdict("GET", "/v1/apps/a1/secrets", "version=three"), "");
}

TEST(Extras, letNullRemoveMetadataAndSecrets) {
  EXPECT_EQ(onMachine("PATCH", "/metadata", "", R"({"metadata":{"a":"1","b":null}})"), "");
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/secrets", "", R"({"values":{"K":"v","L":null}})"), "");
}

TEST(Extras, haveStopTimeoutsInBothForms) {
  for (const char* timeout : {R"("10s")", "10000000000"}) {
    const std::string body = R"({"config":{"image":"x","stop_config":{"signal":"SIGTERM","timeout":)" + std::string(timeout) + "}}}";
    EXPECT_EQ(verdict("POST", "/v1/apps/a1/machines", "", body), "");
  }
}

TEST(Extras, haveAutostopInBothForms) {
  for (const char* autostop : {"true", "false", R"("off")", R"("stop")", R"("suspend")"}) {
    const std::string body = R"({"config":{"image":"x","services":[{"autostop":)" + std::string(autostop) + "}]}}";
    EXPECT_EQ(verdict("POST", "/v1/apps/a1/machines", "", body), "") << autostop;
  }
  EXPECT_NE(verdict("POST", "/v1/apps/a1/machines", "", R"({"config":{"services":[{"autostop":1}]}})"), "");
}

TEST(Extras, knowNetworkPolicies) {
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/network_policies"), "");
  EXPECT_EQ(verdict("DELETE", "/v1/apps/a1/network_policies/p1"), "");
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/network_policies", "",
                    R"({"name":"p","selector":{"all":true},
                        "rules":[{"action":"allow","direction":"egress","ports":[{"protocol":"tcp","port":443}]}]})"),
            "");
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/network_policies", "", R"({"rules":[{"direction":"sideways"}]})"),
            "The body's /rules/0/direction must be one of [\"egress\",\"ingress\"].");
}

TEST(Checker, takesTheMachineThatAProviderCreates) {
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/machines", "", R"({"name":"w1","region":"ams","skip_launch":false,"lease_ttl":30,"config":{
      "image":"registry.fly.io/w:latest","env":{"A":"1"},"auto_destroy":false,"restart":{"policy":"no"},
      "init":{"exec":["/bin/agent"],"tty":false},"guest":{"cpu_kind":"shared","cpus":1,"memory_mb":256},
      "mounts":[{"volume":"vol_1","path":"/data"}],"metadata":{"swarm_id":"s"},
      "files":[{"guest_path":"/run/agent.json","secret_name":"C","mode":256}],"stop_config":{"signal":"SIGTERM","timeout":"10s"},
      "services":[{"protocol":"tcp","internal_port":7777,"autostop":"off","autostart":false,
        "ports":[{"port":443,"handlers":["tls","http"]},{"port":80,"handlers":["http"]}],
        "concurrency":{"type":"connections","soft_limit":20,"hard_limit":25}}]}})"),
            "");
}

TEST(Checker, saysInASentenceWhatIsWrongAndWhere) {
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/machines", "", R"({"config":{"image":"x","guest":{"cpus":"1"}}})"),
            "The body's /config/guest/cpus must be an integer, and is a string.");
  EXPECT_EQ(
      verdict("POST", "/v1/apps/a1/machines", "", R"({"config":{"imgae":"x","env":{"A":1}}})"),
      "The body's /config/imgae is not a property of this object in Fly's document. The body's /config/env/A must be a string, and is an "
      "integer.");
  EXPECT_EQ(verdict("GET", "/v1/apps", "limit=ten"),
            "The query's /limit must be an integer, and is \"ten\". The query's /org_slug is required and missing.");
  EXPECT_EQ(verdict("GET", "/v1/nope"), "The path /v1/nope is not in Fly's document.");
  EXPECT_EQ(verdict("PUT", "/v1/apps"), "The method PUT is not in Fly's document for /v1/apps, which has GET, POST.");
  EXPECT_EQ(onMachine("GET", "/wait", "state=bogus"),
            R"(The query's /state must be one of ["started","stopped","suspended","destroyed","failed","settled"], and is "bogus".)");
  EXPECT_TRUE(verdict("POST", "/v1/apps", "", "{\"name\":").starts_with("The body is not JSON: "));
  EXPECT_TRUE(verdict("GET", "/v1/apps", "org_slug=%zz").starts_with("Cannot parse the query: "));
}

TEST(Checker, takesAnyMetadataKeyAsFilterAndNothingElse) {
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/machines", "metadata.a=1&metadata.a.b=2"), "");
  for (const char* query : {"metadata.=1", "metadata=1", "metadatas_of_another_kind=1"}) {
    EXPECT_NE(verdict("GET", "/v1/apps/a1/machines", query), "") << query;
  }
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/machines", "summary=yes"), "The query's /summary must be true or false, and is \"yes\".");
}

TEST(Checker, isAStrictCheckForTheEmulator) {
  EXPECT_EQ(findViolation("GET", "/v1/platform/regions", "", "", ""), std::nullopt);
  EXPECT_EQ(findViolation("GET", "/v1/nope", "", "", ""), "The path /v1/nope is not in Fly's document.");
}

TEST(Checker, escapesPointersAndKeepsItsListShort) {
  EXPECT_EQ(check({"POST", "/v1/apps", "", "application/json", R"({"a/b~c":1})"})[0].pointer, "/a~1b~0c");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  EXPECT_EQ(check({"POST", "/v1/apps", "", "application/json", many + "}"}).size(), 20u);
}

TEST(Checker, prefersALiteralPathToAParameter) {
  EXPECT_EQ(verdict("POST", "/v1/apps/a1/certificates/acme", "", R"({"hostname":"h"})"), "");
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/certificates/acme"),
            "The method GET is not in Fly's document for /v1/apps/{app_name}/certificates/acme, which has POST.");
  EXPECT_EQ(verdict("GET", "/v1/apps/a1/certificates/example.com"), "");
}

TEST(Checker, readsAPathAsSent) {
  EXPECT_EQ(verdict("GET", "/v1/apps/a%2Fb"), "");
  EXPECT_EQ(verdict("GET", "/v1/a%70ps", "org_slug=x"), "");
  EXPECT_NE(verdict("GET", "/v1/apps//machines"), "");
  EXPECT_NE(verdict("GET", "v1/apps"), "");
  EXPECT_NE(verdict("GET", ""), "");
}

TEST(Responses, areHeldAgainstTheirSchemaButMaySayMore) {
  const RequestFacts get{"GET", "/v1/apps/a1", "", "", ""};
  EXPECT_EQ(describe(checkResponse(get, 200, R"({"id":"x","machine_count":0,"new":1,"network":null})")), "");
  EXPECT_EQ(describe(checkResponse(get, 200, R"({"machine_count":"0"})")),
            "The body's /machine_count must be an integer, and is a string.");
  EXPECT_EQ(checkResponse(get, 200, "<html>")[0].location, Location::Body);
  EXPECT_EQ(describe(checkResponse(get, 404, "<html>")), "");
  EXPECT_EQ(describe(checkResponse({"GET", "/nope", "", "", ""}, 200, "")), "");
}

}  // namespace
}  // namespace swarm::emulator::openapi
