// Turns routes into paths; the parts that several share are components.
#include "api/openapi/openapi.h"

#include <algorithm>
#include <set>

#include "api/openapi/schema_parts.h"
#include "model/rules/schema.h"
#include "net/http/problem.h"

namespace swarm::api {
namespace {

namespace json = boost::json;
using schema::ref;
using schema::type;

json::object component(std::string_view kind, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

struct NamedProblem {
  int status;
  std::string_view name;
  std::string_view description;
  std::vector<std::string_view> headers = {};
};

const std::vector<NamedProblem>& problems() {
  static const std::vector<NamedProblem> list{
      {400, "BadRequest", "The request is not valid; `errors` has each fault with its place"},
      {401, "Unauthenticated", "No credentials, or not valid ones", {"WWW-Authenticate"}},
      {403, "Forbidden", "The role does not allow it, or a page of another origin sent it"},
      {404, "NotFound", "There is no such thing, or it is another user's"},
      {409, "Conflict", "The current state does not allow the request, or the name is taken"},
      {412, "PreconditionFailed", "If-Match names other versions; nothing was done"},
      {413, "TooLarge", "The body is larger than 1 MiB"},
      {415, "UnsupportedMedia", "Another content type, or a content coding", {"Accept-Encoding", "Accept-Patch"}},
      {422, "Unprocessable", "Well-formed, but not possible as asked"},
      {426, "UpgradeRequired", "The path is there for an upgrade only", {"Upgrade"}},
      {429, "TooManyRequests", "A limit of the caller is reached", {"Retry-After"}},
      {501, "Unsupported", "The provider or this server can't do it"},
      {503, "Unavailable", "The provider, the instance or the server can't be reached now", {"Retry-After"}},
  };
  return list;
}

json::object headerSchemas() {
  auto header = [](std::string_view description, json::object value) {
    return json::object{{"description", description}, {"schema", std::move(value)}};
  };
  return {
      {"X-Request-Id", header("Of the request; also in the log", type("string"))},
      {"ETag", header("The version, for If-Match", {{"type", "string"}, {"pattern", "^\"v[0-9]+\"$"}})},
      {"Location", header("The instance", {{"type", "string"}, {"format", "uri-reference"}})},
      {"Operation-Location", header("The operation that goes on", {{"type", "string"}, {"format", "uri-reference"}})},
      {"Idempotency-Replayed", header("There when the key was known: nothing new was made", schema::oneOf({"true"}))},
      {"Retry-After", header("Seconds; there where it is known when a retry may succeed", {{"type", "integer"}, {"minimum", 1}})},
      {"WWW-Authenticate", header("The scheme that is wanted", type("string"))},
      {"Accept-Encoding", header("\"identity\" when a content coding was the reason", type("string"))},
      {"Accept-Patch", header("The type of patches, for PATCH", type("string"))},
      {"Upgrade", header("The protocol that the path speaks", type("string"))},
      {"Content-Disposition", header("A name for the file", type("string"))},
      {"Set-Cookie", header("The browser's session", type("string"))},
  };
}

json::object headersJson(const std::vector<std::string_view>& names) {
  json::object headers{{"X-Request-Id", component("headers", "X-Request-Id")}};
  for (std::string_view name : names) headers[name] = component("headers", name);
  return headers;
}

json::object problemContent(json::object example) {
  return {{"application/problem+json", {{"schema", ref("Problem")}, {"example", std::move(example)}}}};
}

/// The document that the server itself makes of such a failure.
json::object exampleOf(int status, std::string_view description) {
  const std::span<const ErrorCode> codes = errorCodes();
  auto code = std::find_if(codes.begin(), codes.end(), [&](ErrorCode one) { return httpStatus(one) == status; });
  Error error(code != codes.end() ? *code : ErrorCode::InvalidArgument, std::string(description) + ".");
  if (status == 400) error = std::move(error).withField("/name", "must be a string, not a number");
  return net::problemDocument(error, "/api/instances/dev", "rq-01k9t0w2e1f2g3h4j5k6m7n8pq", status);
}

json::object problemResponses() {
  json::object responses;
  for (const NamedProblem& problem : problems()) {
    responses[problem.name] = json::object{{"description", problem.description},
                                           {"headers", headersJson(problem.headers)},
                                           {"content", problemContent(exampleOf(problem.status, problem.description))}};
  }
  responses["Problem"] = json::object{{"description", "Every other failure"},
                                      {"headers", headersJson({})},
                                      {"content", problemContent(exampleOf(500, "Internal server error"))}};
  return responses;
}

json::object parameterSchema(const Parameter& parameter) {
  using Kind = Parameter::Kind;
  switch (parameter.kind) {
    case Kind::Integer:
      return {{"type", "integer"}, {"minimum", parameter.minimum}, {"maximum", parameter.maximum}};
    case Kind::Flag:
      return type("boolean");
    case Kind::Time:
      return schema::time();
    case Kind::Choice:
      return schema::oneOf(json::array(parameter.choices.begin(), parameter.choices.end()));
    case Kind::Labels:
      return {{"type", "object"}, {"additionalProperties", type("string")}};
    case Kind::Text:
    case Kind::EntityTags:
      break;
  }
  json::object out = type("string");
  if (parameter.maximum > 0) out["maxLength"] = parameter.maximum;
  return out;
}

json::object parameterJson(const Parameter& parameter) {
  using Place = Parameter::Place;
  json::object out{{"name", parameter.name},
                   {"in", parameter.place == Place::Path    ? "path"
                          : parameter.place == Place::Query ? "query"
                                                            : "header"},
                   {"required", parameter.place == Place::Path},
                   {"description", parameter.description}};
  if (parameter.kind == Parameter::Kind::Labels) {
    out["style"] = "deepObject";
    out["explode"] = true;
  }
  out["schema"] = parameterSchema(parameter);
  return out;
}

/// The schema of an answer's content. Lines and events are texts that hold JSON.
json::object contentSchema(const Answer& answer) {
  if (answer.schema.empty()) return type("string");
  if (answer.contentType == "application/json") return ref(answer.schema);
  return {{"type", "string"}, {"contentMediaType", answer.contentType}, {"contentSchema", ref(answer.schema)}};
}

/// Several answers of one status are several content types.
void addAnswer(json::object& responses, const Answer& answer) {
  json::value& response = responses[std::to_string(answer.status)];
  if (!response.is_object()) response = json::object{{"description", answer.description}, {"headers", headersJson(answer.headers)}};
  if (answer.schema.empty() && answer.contentType == "application/json") return;
  json::value& content = response.get_object()["content"];
  if (!content.is_object()) content.emplace_object();
  content.get_object()[answer.contentType] = json::object{{"schema", contentSchema(answer)}};
}

/// Which problems a route answers with, by what it takes and asks for.
std::set<int> problemsOf(const Endpoint& route) {
  std::set<int> statuses(route.problems.begin(), route.problems.end());
  statuses.insert(400);
  if (route.permission != Permission::Public) statuses.insert(401);
  bool is_open = route.permission == Permission::Public || (route.permission == Permission::SignedIn && route.method == "GET");
  if (!is_open) statuses.insert(403);
  if (route.pattern.find('{') != std::string_view::npos) statuses.insert(404);
  if (route.body != BodyRule::None) statuses.insert(415);
  if (route.body == BodyRule::Json || route.body == BodyRule::OptionalJson) statuses.insert(413);
  for (const Parameter& parameter : route.parameters)
    if (parameter.kind == Parameter::Kind::EntityTags) statuses.insert(412);
  return statuses;
}

json::object responsesJson(const Endpoint& route) {
  json::object responses;
  for (const Answer& answer : route.answers) addAnswer(responses, answer);
  std::set<int> statuses = problemsOf(route);
  for (const NamedProblem& problem : problems())
    if (statuses.contains(problem.status)) responses[std::to_string(problem.status)] = component("responses", problem.name);
  responses["default"] = component("responses", "Problem");
  return responses;
}

json::object bodyJson(const Endpoint& route) {
  if (route.body == BodyRule::Bytes)
    return {{"required", true}, {"content", {{route.bodyType, {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
  json::object media{{"schema", ref(route.bodySchema)}};
  if (json::object examples = schema::requestExamples(route.bodySchema); !examples.empty()) media["examples"] = std::move(examples);
  return {{"required", route.body == BodyRule::Json}, {"content", {{route.bodyType, std::move(media)}}}};
}

json::object operationJson(const Endpoint& route) {
  json::object out;
  out["operationId"] = route.operationId;
  out["tags"] = json::array{json::string(route.tag)};
  out["summary"] = route.summary;
  out["description"] = route.description;
  if (!route.parameters.empty()) {
    json::array parameters;
    for (const Parameter& parameter : route.parameters) parameters.push_back(parameterJson(parameter));
    out["parameters"] = std::move(parameters);
  }
  if (route.body != BodyRule::None) out["requestBody"] = bodyJson(route);
  out["responses"] = responsesJson(route);
  if (route.permission == Permission::Public) out["security"] = json::array();
  if (!route.upgrade.empty()) out["x-upgrade"] = route.upgrade;
  return out;
}

std::string methodKey(std::string_view method) {
  std::string key;
  for (char c : method) key += static_cast<char>(c - 'A' + 'a');
  return key;
}

json::object info() {
  return {{"title", "VSCode Remote Swarm"},
          {"version", SWARM_VERSION},
          {"description", "Workspaces on Docker Engines and Fly.io. docs/api.md says what a description can't."},
          {"contact", {{"name", "The administrators of this server"}}},
          {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
}

json::array tags() {
  auto tag = [](std::string_view name, std::string_view description) { return json::object{{"name", name}, {"description", description}}; };
  return {
      tag("instances", "Workspaces and their life"),       tag("snapshots", "Files of an instance as they were at a moment"),
      tag("volumes", "What holds the files of instances"), tag("inside", "Commands, logs, files, ports and usage of a running instance"),
      tag("operations", "Durable work and its progress"),  tag("events", "What happens, as a stream"),
      tag("swarm", "Providers, and the swarm as a whole"), tag("auth", "Sessions"),
      tag("system", "Health, metrics and this document")};
}

}  // namespace

json::object makeOpenApi(const std::vector<Endpoint>& table, const std::string& session_cookie) {
  json::object paths;
  for (const Endpoint& route : table) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path.emplace_object();
    path.get_object()[methodKey(route.method)] = operationJson(route);
  }
  json::object schemas = jsonSchemas();
  schema::addRequestSchemas(schemas);
  schema::addAnswerSchemas(schemas);
  schema::addAnswerExamples(schemas);
  json::object security{{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
                        {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", session_cookie}}}};
  json::object document;
  document["openapi"] = "3.1.0";
  document["info"] = info();
  document["servers"] = json::array{json::object{{"url", "/"}}};
  document["security"] = json::array{json::object{{"bearer", json::array()}}, json::object{{"cookie", json::array()}}};
  document["tags"] = tags();
  document["paths"] = std::move(paths);
  document["components"] = json::object{{"schemas", std::move(schemas)},
                                        {"headers", headerSchemas()},
                                        {"responses", problemResponses()},
                                        {"securitySchemes", std::move(security)}};
  return document;
}

}  // namespace swarm::api
