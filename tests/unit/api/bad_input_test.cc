// What must not get in: bodies, types, encodings, parameters, methods; and that every refusal is a whole problem document.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// Every member of a problem document is there.
void expectProblem(const Response& response, int status, const std::string& code) {
  EXPECT_EQ(response.status, status) << response.text;
  EXPECT_EQ(response.header("Content-Type"), "application/problem+json");
  ASSERT_TRUE(response.json.is_object()) << response.text;
  EXPECT_EQ(response.json.at("status").as_int64(), status);
  EXPECT_EQ(response.at("code"), code);
  for (const char* member : {"type", "title", "detail", "instance"}) EXPECT_FALSE(response.at(member).empty()) << member;
  EXPECT_EQ(response.at("requestId"), response.header("X-Request-Id"));
  EXPECT_TRUE(response.json.at("retryable").is_bool());
}

struct BodyCase {
  const char* body;
  const char* pointer;  ///< of the first error; empty: none
};

TEST(ApiInput, refusesBodiesThatAreNotWhatTheRouteTakes) {
  ApiServer server;
  const BodyCase cases[] = {
      {"{", ""},
      {"{\"name\":\"a\"} x", ""},
      {"[]", ""},
      {"null", ""},
      {"\"x\"", ""},
      {"{\"name\":\"\xff\"}", ""},
      {"{\"name\":\"\xed\xa0\x80\"}", ""},
      {R"({"name":1})", "/name"},
      {R"({"nmae":"a"})", "/nmae"},
      {R"({"resources":{"cpu":{"cores":"2"}}})", "/resources/cpu/cores"},
      {R"({"resources":{"cpu":{"coers":2}}})", "/resources/cpu/coers"},
      {R"({"storage":[{"size":1},{"size":"x"}]})", "/storage/1/size"},
      {R"({"provider":"cloud"})", "/provider"},
      {R"({"env":{"A":1}})", "/env/A"},
      {R"({"name":"a","name":"b"})", "/name"},
      {R"({"env":{"A":"1","A":"2"}})", "/env/A"},
      {R"({"env":{"A":"1","\u0041":"2"}})", "/env/A"},
  };
  for (const BodyCase& one : cases) {
    Response response = server.post("/api/instances", one.body);
    expectProblem(response, 400, "invalid_argument");
    if (*one.pointer != '\0' && response.json.as_object().contains("errors"))
      EXPECT_EQ(response.json.at("errors").at(0).at("pointer").as_string(), one.pointer) << response.text;
    else
      EXPECT_EQ(std::string(one.pointer), "") << response.text;
  }
  EXPECT_TRUE(server.world.containers().empty());
}

TEST(ApiInput, refusesBodiesOfMoreValuesThanALoopShouldRead) {
  ApiServer server;
  std::string keys = "{", deep(200'000, '[');
  for (int i = 0; keys.size() < 900'000; ++i) keys += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  for (const std::string& body : {keys + "}", "{\"env\":" + keys + "}}", "{\"name\":" + deep}) {
    const Response response = server.post("/api/instances", body);
    expectProblem(response, 400, "invalid_argument");
    EXPECT_FALSE(response.json.as_object().contains("errors")) << "no member is named, since none was read";
    EXPECT_LT(response.text.size(), 1000U);
  }
}

TEST(ApiInput, takesLittleFromAClientThatIsNotSignedIn) {
  ApiServer server;
  auto signIn = [&](std::size_t bytes) {
    return server.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"wrong"})" + std::string(bytes, ' ')}, "");
  };
  expectProblem(signIn(8 * 1024), 401, "unauthenticated");
  expectProblem(signIn(16 * 1024), 413, "payload_too_large");
}

TEST(ApiInput, namesEveryFaultAtOnce) {
  ApiServer server;
  Response response = server.post("/api/instances", R"({"name":1,"image":2,"more":3})");
  expectProblem(response, 400, "invalid_argument");
  EXPECT_EQ(response.json.at("errors").as_array().size(), 3u);
}

TEST(ApiInput, refusesNamesThatAreNotDnsLabels) {
  ApiServer server;
  for (std::string name : {"UPPER", "under_score", "-a", "a-", "a.b", "a b", "a--b", "\u00fc",
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    Response response = server.post("/api/instances", R"({"provider":"fake","name":")" + name + "\"}");
    expectProblem(response, 400, "invalid_argument");
  }
}

TEST(ApiInput, refusesTenMegabytes) {
  ApiServer server;
  std::string body = "{\"name\":\"" + std::string(10 * 1024 * 1024, 'a') + "\"}";
  expectProblem(server.post("/api/instances", body), 413, "payload_too_large");
  // Chunked: the size is not known before.
  std::string chunked = "POST /api/instances HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " + server.admin +
                        "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string chunk(64 * 1024, ' ');
  for (int i = 0; i < 160; ++i) chunked += "10000\r\n" + chunk + "\r\n";
  EXPECT_TRUE(server.raw(chunked + "0\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(server.get("/healthz").status, 200);
}

TEST(ApiInput, takesOnlyJson) {
  ApiServer server;
  for (std::string type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json; charset=latin1", ""})
    expectProblem(server.send({"POST", "/api/instances", "{}", {}, type}), 415, "unsupported_media");
  EXPECT_EQ(server.send({"POST", "/api/instances?wait=10", R"({"provider":"fake"})", {}, "Application/JSON; charset=UTF-8"}).status, 201);
}

TEST(ApiInput, takesNoContentCodings) {
  ApiServer server;
  server.create("one");
  for (std::string coding : {"gzip", "br", "gzip, identity", "x"}) {
    Response response = server.send({"POST", "/api/instances", R"({"provider":"fake"})", {{"Content-Encoding", coding}}});
    expectProblem(response, 415, "unsupported_media");
    EXPECT_EQ(response.header("Accept-Encoding"), "identity");
  }
  Request archive{"PUT", "/api/instances/one/import", "not an archive", {{"Content-Encoding", "gzip"}}, "application/zstd"};
  EXPECT_EQ(server.send(archive).status, 415);
  EXPECT_EQ(server.world.containers().size(), 1u);
  EXPECT_EQ(server.send({"POST", "/api/instances", R"({"provider":"fake"})", {{"Content-Encoding", "identity"}}}).status, 202);
}

TEST(ApiInput, refusesABodyWhereThereIsNone) {
  ApiServer server;
  server.create("one");
  expectProblem(server.post("/api/instances/one/stop", "{}"), 400, "invalid_argument");
  expectProblem(server.send({"DELETE", "/api/instances/one", "{}"}), 400, "invalid_argument");
  EXPECT_EQ(server.get("/api/instances/one").at("status"), "running");
}

TEST(ApiInput, refusesQueriesThatItDoesNotKnow) {
  ApiServer server;
  for (std::string query : {"limt=3", "limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "status=dead", "cursor=%21",
                            "label.=x", "label.a=1&label.a=2", "label.a=1&label[a]=2", "label[]=x", "label[a=x", "name=", "owner=%zz"}) {
    Response response = server.get("/api/instances?" + query);
    expectProblem(response, 400, "invalid_argument");
  }
  expectProblem(server.post("/api/instances?wait=-1", R"({"provider":"fake"})"), 400, "invalid_argument");
  expectProblem(server.post("/api/instances?wait=901", R"({"provider":"fake"})"), 400, "invalid_argument");
  expectProblem(server.send({"DELETE", "/api/instances/one?volumes=yes"}), 400, "invalid_argument");
  expectProblem(server.get("/healthz?x=1"), 400, "invalid_argument");
}

TEST(ApiInput, answersUnknownPathsAndMethods) {
  ApiServer server;
  expectProblem(server.get("/api/nothing"), 404, "not_found");
  expectProblem(server.post("/api/instances/one/migrate", "{}"), 404, "not_found");
  expectProblem(server.post("/api/swarm/scale", "{}"), 404, "not_found");
  Response post = server.send({"POST", "/api/instances/one"});
  expectProblem(post, 405, "invalid_argument");
  EXPECT_EQ(post.header("Allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  Response options = server.send({"OPTIONS", "/api/instances"});
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("Allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(options.header("Access-Control-Allow-Origin"), "");
}

TEST(ApiInput, quotesOnlyUtf8) {
  ApiServer server;
  Response response = server.get("/api/instances/a%FFb");
  expectProblem(response, 404, "not_found");
  EXPECT_NE(response.text.find("a\xEF\xBF\xBD"), std::string::npos) << response.text;
  expectProblem(server.get("/api/instances?%FF=1"), 400, "invalid_argument");
}

TEST(ApiInput, answersHeadWithoutABody) {
  ApiServer server;
  for (std::string path : {"/api/instances", "/api/events", "/healthz", "/api/openapi.json"}) {
    Response response = server.send({"HEAD", path});
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.text, "");
  }
}

TEST(ApiInput, keepsARequestIdThatIsOneAndMakesOneElse) {
  ApiServer server;
  EXPECT_EQ(server.send({.target = "/healthz", .headers = {{"X-Request-Id", "my-id_1.2"}}}).header("X-Request-Id"), "my-id_1.2");
  for (std::string bad : {std::string("with space"), std::string(65, 'a'), std::string("<script>"), std::string("a\"b")}) {
    std::string id = server.send({.target = "/healthz", .headers = {{"X-Request-Id", bad}}}).header("X-Request-Id");
    EXPECT_TRUE(id.starts_with("rq-")) << id;
  }
}

TEST(ApiInput, wantsUpgradesWhereItUpgrades) {
  ApiServer server;
  server.create("one");
  Response exec = server.get("/api/instances/one/exec");
  EXPECT_EQ(exec.status, 426);
  EXPECT_EQ(exec.header("Upgrade"), "websocket");
  EXPECT_EQ(server.get("/api/instances/one/ports/80").status, 426);
}

TEST(ApiInput, refusesHeadersThatAreThereTwice) {
  ApiServer server;
  Request request{"POST", "/api/instances", R"({"provider":"fake"})", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}};
  expectProblem(server.send(request), 400, "invalid_argument");
  EXPECT_TRUE(server.world.containers().empty());
  // A list may be in several fields.
  server.create("one");
  EXPECT_EQ(server.send({"POST", "/api/instances/one/stop", "", {{"If-Match", "\"v7\""}, {"If-Match", "\"v1\""}}}).status, 202);
}

}  // namespace
}  // namespace swarm::test
