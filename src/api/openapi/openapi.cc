// Turns routes into paths; the parts that several share are components.
#include "api/openapi/openapi.h"

#include <algorithm>
#include <set>

#include "api/openapi/schema_parts.h"
#include "model/rules/schema.h"
#include "net/http/problem.h"
#include "protocol/ssh.h"

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
      {400, "BadRequest", "The request is invalid; `errors` has each fault with its position"},
      {401, "Unauthenticated", "No credentials, or invalid ones", {"WWW-Authenticate"}},
      {403, "Forbidden", "The role does not allow it, or a page of another origin sent it"},
      {404, "NotFound", "Not found, or it belongs to another user"},
      {409, "Conflict", "The current state does not allow the request, or the name is taken"},
      {412, "PreconditionFailed", "If-Match names other versions; nothing was changed"},
      {413, "TooLarge", "The body is larger than 1 MiB"},
      {415, "UnsupportedMedia", "Another content type, or a content coding", {"Accept-Encoding", "Accept-Patch"}},
      {422, "Unprocessable", "The request is well-formed but cannot be fulfilled"},
      {426, "UpgradeRequired", "The path only supports an upgrade", {"Upgrade"}},
      {429, "TooManyRequests", "A limit of the caller was reached", {"Retry-After"}},
      {501, "Unsupported", "The provider or this server does not support it"},
      {503, "Unavailable", "The provider, the instance or the server cannot be reached now", {"Retry-After"}},
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
      {"Operation-Location", header("The operation that continues", {{"type", "string"}, {"format", "uri-reference"}})},
      {"Idempotency-Replayed", header("Present when the key was known: nothing new was created", schema::oneOf({"true"}))},
      {"Retry-After", header("Seconds; present when it is known when a retry may succeed", {{"type", "integer"}, {"minimum", 1}})},
      {"WWW-Authenticate", header("The required scheme", type("string"))},
      {"Accept-Encoding", header("\"identity\" when a content coding was the reason", type("string"))},
      {"Accept-Patch", header("The type of patches, for PATCH", type("string"))},
      {"Upgrade", header("The protocol of the path", type("string"))},
      {agent::kSshHostKeyHeader, header("The host key of the instance, to be pinned", type("string"))},
      {agent::kInstanceHeader, header("The id of the instance", type("string"))},
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

/// The document that the server creates for such a failure.
json::object exampleOf(int status, std::string_view description) {
  const std::span<const ErrorCode> codes = errorCodes();
  auto code = std::find_if(codes.begin(), codes.end(), [&](ErrorCode one) { return httpStatus(one) == status; });
  Error error(code != codes.end() ? *code : ErrorCode::InvalidArgument, std::string(description) + ".");
  if (status == 400) error.fields().push_back({"/name", "must be a string, not a number"});
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
  using Location = Parameter::Location;
  json::object out{{"name", parameter.name},
                   {"in", parameter.location == Location::Path    ? "path"
                          : parameter.location == Location::Query ? "query"
                                                                  : "header"},
                   {"required", parameter.location == Location::Path},
                   {"description", parameter.description}};
  if (parameter.kind == Parameter::Kind::Labels) {
    out["style"] = "deepObject";
    out["explode"] = true;
  }
  out["schema"] = parameterSchema(parameter);
  return out;
}

/// The schema of the content. Lines and events are texts that contain JSON.
json::object contentSchema(const Response& response) {
  if (response.schema.empty()) return type("string");
  if (response.contentType == kJsonType) return ref(response.schema);
  return {{"type", "string"}, {"contentMediaType", response.contentType}, {"contentSchema", ref(response.schema)}};
}

/// Several responses with one status are several content types.
void addResponse(json::object& responses, const Response& response) {
  json::value& out = responses[std::to_string(response.status)];
  if (!out.is_object()) out = json::object{{"description", response.description}, {"headers", headersJson(response.headers)}};
  if (response.schema.empty() && response.contentType == kJsonType) return;
  json::value& content = out.get_object()["content"];
  if (!content.is_object()) content.emplace_object();
  content.get_object()[response.contentType] = json::object{{"schema", contentSchema(response)}};
}

/// The statuses of the problems of a route, by its parameters, body and permission.
std::set<int> problemsOf(const Endpoint& route) {
  std::set<int> statuses(route.problems.begin(), route.problems.end());
  statuses.insert(400);
  if (route.permission != Permission::Public) statuses.insert({401, 429});
  bool is_open = route.permission == Permission::Public || (route.permission == Permission::SignedIn && route.method == "GET");
  if (!is_open) statuses.insert(403);
  if (route.pattern.find('{') != std::string_view::npos) statuses.insert(404);
  if (route.body.rule != BodyRule::None) statuses.insert(415);
  if (route.body.rule == BodyRule::Json || route.body.rule == BodyRule::OptionalJson) statuses.insert({413, 429});
  for (const Parameter& parameter : route.parameters)
    if (parameter.kind == Parameter::Kind::EntityTags) statuses.insert(412);
  return statuses;
}

json::object responsesJson(const Endpoint& route) {
  json::object responses;
  for (const Response& response : route.responses) addResponse(responses, response);
  std::set<int> statuses = problemsOf(route);
  for (const NamedProblem& problem : problems())
    if (statuses.contains(problem.status)) responses[std::to_string(problem.status)] = component("responses", problem.name);
  responses["default"] = component("responses", "Problem");
  return responses;
}

json::object bodyJson(const Endpoint& route, const CandidateForms& candidates) {
  if (route.body.rule == BodyRule::Bytes)
    return {{"required", true}, {"content", {{route.body.type, {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
  json::object media{{"schema", ref(route.body.schema)}};
  if (json::object examples = schema::requestExamples(route.body.schema, candidates); !examples.empty())
    media["examples"] = std::move(examples);
  return {{"required", route.body.rule == BodyRule::Json}, {"content", {{route.body.type, std::move(media)}}}};
}

json::object operationJson(const Endpoint& route, const CandidateForms& candidates) {
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
  if (route.body.rule != BodyRule::None) out["requestBody"] = bodyJson(route, candidates);
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
          {"description", "Workspaces on Docker Engines and Fly.io. docs/api.md explains what a description cannot."},
          {"contact", {{"name", "The administrators of this server"}}},
          {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
}

json::array tags() {
  auto tag = [](std::string_view name, std::string_view description) { return json::object{{"name", name}, {"description", description}}; };
  return {tag("instances", "Workspaces and their lifecycle"),
          tag("snapshots", "Copies of the files of an instance at one moment"),
          tag("volumes", "Storage with the files of instances"),
          tag("inside", "Commands, logs, files and ports of a running instance"),
          tag("usage", "What instances use, now and over time"),
          tag("operations", "Durable work and its progress"),
          tag("events", "Changes, as a stream"),
          tag("swarm", "Providers, and the swarm as a whole"),
          tag("auth", "Sessions"),
          tag("users", "Accounts and what belongs to them"),
          tag("sharing", "Access of other users to an instance"),
          tag("audit", "Who did what"),
          tag("system", "Health, metrics and this document")};
}

/// "VolumeList" of "Volume", with a cursor where the route takes one.
void addListSchemas(json::object& schemas, const std::vector<Endpoint>& table) {
  constexpr std::string_view suffix = "List";
  for (const Endpoint& route : table) {
    const bool paged = std::ranges::find(route.parameters, "cursor", &Parameter::name) != route.parameters.end();
    for (const Response& response : route.responses) {
      if (!response.schema.ends_with(suffix) || schemas.contains(response.schema)) continue;
      const std::string_view item = response.schema.substr(0, response.schema.size() - suffix.size());
      schemas[response.schema] = paged ? schema::pageOf(item) : schema::object({{"items", schema::arrayOf(ref(item))}}, {"items"});
    }
  }
}

}  // namespace

json::object makeOpenApi(const std::vector<Endpoint>& table, const std::string& session_cookie, const CandidateForms& candidates) {
  json::object paths;
  for (const Endpoint& route : table) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path.emplace_object();
    path.get_object()[methodKey(route.method)] = operationJson(route, candidates);
  }
  json::object schemas = jsonSchemas();
  schema::addRequestSchemas(schemas, candidates);
  schema::addResponseSchemas(schemas);
  addListSchemas(schemas, table);
  schema::addResponseExamples(schemas);
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
