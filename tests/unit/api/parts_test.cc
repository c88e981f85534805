// The API's pure parts: finding routes, duplicate keys, log lines, problems, cookies, the OpenAPI document.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "api/http/entity_tags.h"
#include "api/http/instance_text.h"
#include "api/http/json_keys.h"
#include "api/http/text_lines.h"
#include "api/openapi/openapi.h"
#include "api/routes/route.h"
#include "auth/browser/browser_session.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "net/http/problem.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

TEST(RouteTable, leadsToARouteWithItsDecodedArguments) {
  auto table = makeRouteTable();
  Match match = findRoute(table, "GET", "/api/instances/a%2Db/ports/80");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->operationId, "openPort");
  EXPECT_EQ(match.arguments, (std::vector<std::string>{"a-b", "80"}));
}

TEST(RouteTable, distinguishesAnUnknownPathFromAWrongMethod) {
  auto table = makeRouteTable();
  for (std::string_view path : {"/api", "/api/", "/api/instances/", "/api/instances//start", "/api/instances/a/b", "/", "", "x"})
    EXPECT_TRUE(findRoute(table, "GET", path).allow.empty()) << path;
  Match match = findRoute(table, "POST", "/api/instances/a");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
}

TEST(RouteTable, servesHeadWhereItServesGet) {
  auto table = makeRouteTable();
  EXPECT_EQ(findRoute(table, "HEAD", "/healthz").route->operationId, "health");
  EXPECT_EQ(findRoute(table, "HEAD", "/api/auth/login").route, nullptr);
}

TEST(RouteTable, givesEveryRouteAnIdOfItsOwnAndAnAnswer) {
  std::set<std::string_view> ids;
  for (const Endpoint& route : makeRouteTable()) {
    EXPECT_TRUE(ids.insert(route.operationId).second) << route.operationId;
    EXPECT_FALSE(route.responses.empty()) << route.operationId;
    EXPECT_NE(route.handler, nullptr);
    EXPECT_FALSE(route.summary.empty() || route.description.empty()) << route.operationId;
    EXPECT_EQ(route.body.rule == BodyRule::Json || route.body.rule == BodyRule::OptionalJson, !route.body.schema.empty())
        << route.operationId;
    EXPECT_EQ(route.kind == RouteKind::Upgrade, !route.upgrade.empty()) << route.operationId;
  }
}

/// "GET /api/instances/{id}" as the page writes it: "GET /api/instances/ID".
std::string documented(const Endpoint& route) {
  std::string line = std::string(route.method) + " ";
  bool in_name = false;
  for (char c : route.pattern) {
    if (c == '{' || c == '}')
      in_name = c == '{';
    else
      line += in_name ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
  }
  return line;
}

TEST(RouteTable, isTheOneThatTheDocumentationLists) {
  const auto table = makeRouteTable();
  std::string rows = "| route | purpose |\n| --- | --- |\n";
  for (const Endpoint& route : table) rows += format("| `{}` | {} |\n", documented(route), route.summary);
  std::ifstream file(SWARM_TEST_API_PAGE);
  std::string page(std::istreambuf_iterator<char>(file), {});
  const std::size_t begin = page.find("| route | purpose |");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t length = page.find("\n\n", begin) + 1 - begin;
  const bool same = page.substr(begin, length) == rows;
  page.replace(begin, length, rows);
  if (std::getenv("SWARM_FIX") != nullptr) std::ofstream(SWARM_TEST_API_PAGE) << page;
  EXPECT_TRUE(same) << "Run this test with SWARM_FIX=1 to write the list of docs/api.md.";
  const std::regex named("`(GET|POST|PUT|PATCH|DELETE) (/[^`?\\s]*)");
  for (std::sregex_iterator at(page.begin(), page.end(), named), end; at != end; ++at)
    EXPECT_NE(findRoute(table, (*at)[1].str(), (*at)[2].str()).route, nullptr) << "docs/api.md names " << at->str();
}

/// Every "$ref" below `value`.
void collectReferences(const json::value& value, std::set<std::string>& found) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref") found.insert(std::string(member.as_string()));
      collectReferences(member, found);
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) collectReferences(element, found);
  }
}

const json::value* resolve(const json::value& root, std::string_view reference) {
  boost::system::error_code missing;
  return root.find_pointer(reference.substr(1), missing);
}

TEST(OpenApi, describesEveryRouteWithItsParametersAndNothingElse) {
  auto table = makeRouteTable();
  json::object document = makeOpenApi(table, "swarm-session", {});
  EXPECT_TRUE(document.at("openapi").as_string().starts_with("3.1."));
  EXPECT_FALSE(document.at("info").at("title").as_string().empty());
  EXPECT_FALSE(document.at("info").at("version").as_string().empty());
  std::size_t operations = 0;
  for (const auto& [path, item] : document.at("paths").as_object()) operations += item.as_object().size();
  EXPECT_EQ(operations, table.size());
  for (const Endpoint& route : table) {
    std::string method(route.method);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const json::object& operation = document.at("paths").at(route.pattern).at(method).as_object();
    EXPECT_EQ(operation.at("operationId").as_string(), route.operationId);
    EXPECT_FALSE(operation.at("responses").as_object().empty());
    // Every {parameter} of the path is described, and required.
    std::set<std::string> described;
    if (const json::value* parameters = operation.if_contains("parameters")) {
      for (const json::value& parameter : parameters->as_array()) {
        if (parameter.at("in").as_string() == "path") {
          EXPECT_TRUE(parameter.at("required").as_bool());
          described.insert("{" + std::string(parameter.at("name").as_string()) + "}");
        }
        EXPECT_TRUE(parameter.as_object().contains("schema"));
      }
    }
    std::set<std::string> used;
    for (std::size_t at = route.pattern.find('{'); at != std::string_view::npos; at = route.pattern.find('{', at + 1))
      used.insert(std::string(route.pattern.substr(at, route.pattern.find('}', at) - at + 1)));
    EXPECT_EQ(described, used) << route.pattern;
    EXPECT_EQ(operation.contains("requestBody"), route.body.rule != BodyRule::None);
  }
}

TEST(OpenApi, refersOnlyToWhatItHolds) {
  json::value document = makeOpenApi(makeRouteTable(), "swarm-session", {});
  std::set<std::string> references;
  collectReferences(document, references);
  EXPECT_GT(references.size(), 20u);
  for (const std::string& reference : references) EXPECT_NE(resolve(document, reference), nullptr) << reference;
}

TEST(OpenApi, saysOfEveryRouteHowItCanFail) {
  json::object document = makeOpenApi(makeRouteTable(), "swarm-session", {});
  for (const auto& [path, item] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      const json::object& responses = operation.at("responses").as_object();
      EXPECT_TRUE(responses.contains("400")) << path << " " << method;
      EXPECT_EQ(responses.contains("404"), path.find('{') != std::string_view::npos || path == "/api/tls/ask") << path << " " << method;
      if (responses.contains("202"))
        EXPECT_TRUE(responses.at("202").at("headers").as_object().contains("Operation-Location")) << path << " " << method;
    }
  }
  const json::value stop = document.at("paths").at("/api/instances/{id}/stop").at("post");
  EXPECT_TRUE(stop.at("responses").as_object().contains("412"));
  EXPECT_TRUE(stop.at("responses").as_object().contains("429")) << "of every request that has a user";
}

TEST(OpenApi, describesACreateAsOneClosedObject) {
  json::object document = makeOpenApi(makeRouteTable(), "swarm-session", {});
  const json::object& create = document.at("components").at("schemas").at("CreateInstance").as_object();
  EXPECT_FALSE(create.contains("allOf")) << "its parts would refuse each other's members";
  EXPECT_EQ(create.at("additionalProperties"), json::value(false));
  for (const char* member : {"name", "image", "resources", "provider", "regions", "owner"})
    EXPECT_TRUE(create.at("properties").as_object().contains(member)) << member;
}

TEST(EntityTags, areReadAsListsOfWhichWeakOnesMatchNothing) {
  auto admits = [](std::string_view list, std::int64_t version) {
    std::optional<VersionCondition> condition = parseEntityTags(list);
    EXPECT_TRUE(condition) << list;
    return condition && condition->admits(version);
  };
  EXPECT_TRUE(admits("\"v3\"", 3));
  EXPECT_FALSE(admits("\"v3\"", 4));
  EXPECT_TRUE(admits("*", 7));
  EXPECT_TRUE(admits("\"v1\" ,\t\"v3\"", 3));
  EXPECT_TRUE(admits(", \"a,b\",, W/\"v4\", \"v5\" ,", 5));
  EXPECT_FALSE(admits("W/\"v3\"", 3)) << "If-Match compares strongly";
  EXPECT_FALSE(admits("\"3\"", 3));
  EXPECT_FALSE(admits("\"v3x\", \"\"", 3));
  for (std::string_view bad : {"", " ", ",", "v3", "\"v3", "\"v3\" \"v4\"", "*, \"v3\"", "\"v3\", *", "w/\"v3\"", "\"v 3\""})
    EXPECT_FALSE(parseEntityTags(bad)) << bad;
}

TEST(DuplicateKeys, areTheSameHoweverTheyAreSpelt) {
  EXPECT_EQ(duplicateKeys(R"({"a":1,"\u0061":2})"), std::vector<std::string>{"/a"});
  EXPECT_EQ(duplicateKeys(R"({"x":{"\/":1,"\u002F":2}})"), std::vector<std::string>{"/x/~1"});
  EXPECT_EQ(duplicateKeys(R"({"a":1,"\\u0061":2,"\"":3})"), std::vector<std::string>());
}

TEST(DuplicateKeys, areFoundAtEveryDepth) {
  EXPECT_EQ(duplicateKeys(R"({"a":1,"b":{"c":[0,{"d":1,"d":2}]},"a":3})"), (std::vector<std::string>{"/b/c/1/d", "/a"}));
  EXPECT_EQ(duplicateKeys(R"([{"x":1},{"x":2,"y":"x\"x"}])"), std::vector<std::string>());
  EXPECT_EQ(duplicateKeys(R"({"a":"a","b":"a"})"), std::vector<std::string>());
  EXPECT_EQ(duplicateKeys(R"({"a/b":1,"a/b":1,"a/b":1})"), std::vector<std::string>{"/a~1b"});
}

TEST(LogLines, areCutFromPiecesAndMadeValid) {
  NdjsonLines lines;
  EXPECT_EQ(lines.add("one\ntw"), "{\"line\":\"one\"}\n");
  EXPECT_EQ(lines.add("o\r\n\n"), "{\"line\":\"two\"}\n{\"line\":\"\"}\n");
  EXPECT_EQ(lines.add("bad\xff"), "");
  EXPECT_EQ(lines.finish(), "{\"line\":\"bad\xEF\xBF\xBD\"}\n");
  EXPECT_EQ(lines.finish(), "");
}

TEST(LogLines, ofEndlessTextAreCut) {
  NdjsonLines lines;
  std::string out = lines.add(std::string(150'000, 'x'));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2);
}

TEST(Problem, holdsWhatTheErrorKnowsAndNotItsCause) {
  Error error =
      Error(ErrorCode::Unprocessable, "No such image.").withCause("secret cause").withField("/image", "is not there").withInstance("i-1");
  json::object problem = net::problemDocument(error, "/api/instances", "rq-1");
  EXPECT_EQ(problem.at("status").as_int64(), 422);
  EXPECT_EQ(problem.at("code").as_string(), "unprocessable");
  EXPECT_EQ(problem.at("type").as_string(), "urn:swarm:problem:unprocessable");
  EXPECT_EQ(problem.at("instance").as_string(), "/api/instances/i-1");
  EXPECT_EQ(problem.at("requestId").as_string(), "rq-1");
  EXPECT_EQ(problem.at("retryable").as_bool(), false);
  EXPECT_EQ(problem.at("errors").at(0).at("pointer").as_string(), "/image");
  EXPECT_EQ(json::serialize(problem).find("secret cause"), std::string::npos);
}

TEST(InstanceText, saysTheSameAsTheCodec) {
  Instance instance;
  instance.id = InstanceId("i-1");
  instance.statusReason = "a \"quoted\" \\ line\n\x01 \xC3\xBC";
  instance.createdAt = SystemTime(std::chrono::milliseconds(1'700'000'000'123));
  instance.config.resources.cpu.cores = 0.25;
  instance.config.env = {{"A", "1"}, {"B\"", ""}};
  instance.config.command = {"sh", "-c", "true"};
  instance.config.network.exposedPorts = {80, 443};
  instance.config.network.regions = {"ams"};
  instance.config.network.flyio = FlyNetworkConfig{true, false};
  instance.config.storage = {{5, true, "/home/coder", ""}, {1, false, "/tmp/x", "v"}};
  instance.config.metadata = {{"deep", {{"list", {1, 2.5, nullptr, "x"}}}}};
  instance.network.ports = {{80, 32768, "tcp"}};
  for (const Instance& one : {instance, Instance{}}) {
    std::string text;
    appendJson(text, one);
    // Read back by the codec, so that 2 and 2E0 are the same; and member by member in the same order.
    json::value parsed = json::parse(text);
    json::value wanted = toJson(one);
    EXPECT_EQ(toJson(fromJson<Instance>(parsed)), wanted) << text;
    ASSERT_EQ(parsed.as_object().size(), wanted.as_object().size());
    for (auto a = parsed.as_object().begin(), b = wanted.as_object().begin(); b != wanted.as_object().end(); ++a, ++b)
      EXPECT_EQ(a->key(), b->key());
  }
}

struct OriginCase {
  const char* site;
  const char* origin;
  bool same;
};

TEST(SameOrigin, isDecidedBySecFetchSiteAndOrigin) {
  const OriginCase cases[] = {
      {nullptr, nullptr, false},
      {nullptr, "http://localhost:7420", true},
      {nullptr, "https://localhost:7420", true},
      {nullptr, "http://localhost", false},
      {nullptr, "http://evil.localhost:7420", false},
      {nullptr, "null", false},
      {"same-origin", nullptr, true},
      {"none", nullptr, true},
      {"same-site", nullptr, false},
      {"cross-site", "http://localhost:7420", false},
      {"same-origin", "http://evil.localhost:7420", false},
  };
  for (const OriginCase& one : cases) {
    net::RequestHead head;
    head.hostPort = "localhost:7420";
    if (one.site != nullptr) head.headers.add({"Sec-Fetch-Site", one.site});
    if (one.origin != nullptr) head.headers.add({"Origin", one.origin});
    EXPECT_EQ(isSameOrigin(head), one.same) << (one.site ? one.site : "-") << " " << (one.origin ? one.origin : "-");
  }
}

}  // namespace
}  // namespace swarm::api
