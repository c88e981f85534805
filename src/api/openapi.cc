// Turns routes into paths, and adds the schemas of what only the API has.
#include "api/openapi.h"

#include "model/schema.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

json::object ref(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

json::object type(std::string_view name) { return {{"type", name}}; }
json::object time() { return {{"type", "string"}, {"format", "date-time"}}; }

json::object closedObject(json::object properties, json::array required) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
}

json::object listOf(std::string_view item) {
  return closedObject({{"items", {{"type", "array"}, {"items", ref(item)}}},
                       {"nextCursor", {{"type", "string"}, {"description", "For the next page; absent on the last one"}}}},
                      {"items"});
}

/// `base` with members beside its own.
json::object with(std::string_view base, json::object properties) {
  return {{"allOf", {ref(base), {{"type", "object"}, {"properties", std::move(properties)}}}}};
}

json::object problemSchema() {
  json::object error = closedObject(
      {{"pointer", {{"type", "string"}, {"description", "JSON pointer, or ?NAME of a query parameter"}}}, {"detail", type("string")}},
      {"pointer", "detail"});
  return {{"type", "object"},
          {"description", "RFC 9457"},
          {"properties",
           {{"type", {{"type", "string"}, {"format", "uri"}}},
            {"title", type("string")},
            {"status", type("integer")},
            {"detail", {{"type", "string"}, {"description", "What happened and, where there is one, what to do next"}}},
            {"code", {{"type", "string"}, {"description", "One of a closed list, like not_found"}}},
            {"instance", {{"type", "string"}, {"format", "uri-reference"}}},
            {"requestId", type("string")},
            {"retryable", {{"type", "boolean"}, {"description", "Whether the same request may succeed later"}}},
            {"errors", {{"type", "array"}, {"items", std::move(error)}}},
            {"upstream", {{"type", "object"}, {"properties", {{"status", type("integer")}, {"requestId", type("string")}}}}}}},
          {"required", {"type", "title", "status", "detail", "code", "instance", "requestId", "retryable"}}};
}

void addRequestSchemas(json::object& schemas) {
  json::object strings{{"type", "array"}, {"items", type("string")}};
  schemas["CreateInstance"] =
      with("InstanceConfig",
           {{"provider", {{"$ref", "#/components/schemas/ProviderType"}, {"description", "Absent: placement chooses"}}},
            {"regions",
             {{"type", "array"},
              {"items", type("string")},
              {"maxItems", 16},
              {"description", "Regions of Fly.io or names of Docker hosts, tried in this order; they choose the provider, too"}}},
            {"owner", {{"type", "string"}, {"description", "Another user, for admins; absent: the caller"}}}});
  json::object update;
  update["type"] = "object";
  update["description"] = "What is absent stays. resources and network are merged; env, labels and metadata are replaced whole.";
  update["minProperties"] = 1;
  update["additionalProperties"] = false;
  json::object map{{"type", "object"}, {"additionalProperties", type("string")}};
  update["properties"] = json::object{
      {"resources", ref("ResourceConfig")}, {"network", ref("NetworkConfig")}, {"env", map}, {"labels", map}, {"metadata", type("object")}};
  schemas["UpdateInstance"] = std::move(update);
  schemas["MigrateInstance"] = closedObject(
      {{"targetProvider", {{"$ref", "#/components/schemas/ProviderType"}, {"description", "Absent: the one it is at, in another region"}}},
       {"region", {{"type", "string"}, {"description", "Fly's region, or the name of a Docker host"}}},
       {"resources", {{"$ref", "#/components/schemas/ResourceConfig"}, {"description", "What is absent stays"}}},
       {"keepSource", {{"type", "boolean"}, {"default", false}, {"description", "Keep the source, stopped, to go back to"}}},
       {"keepHours", {{"type", "integer"}, {"minimum", 1}, {"maximum", 8760}, {"default", 24}}},
       {"bandwidthLimit", {{"type", "integer"}, {"minimum", 0}, {"default", 0}, {"description", "Bytes per second; 0: none"}}},
       {"back", {{"type", "boolean"}, {"default", false}, {"description", "To the source that an earlier move kept"}}},
       {"dryRun", {{"type", "boolean"}, {"default", false}, {"description", "Change nothing; answer with a MigrationPlan"}}}},
      {});
  schemas["TakeSnapshot"] =
      closedObject({{"name", {{"type", "string"}, {"description", "Unique among the instance's; absent: the time"}}}}, {});
  schemas["RestoreSnapshot"] = closedObject({{"snapshot", {{"type", "string"}, {"description", "Its name, or its id"}}}}, {"snapshot"});
  schemas["ExecuteCommand"] =
      closedObject({{"command", {{"type", "array"}, {"items", type("string")}, {"minItems", 1}}},
                    {"stdin", type("string")},
                    {"timeout", {{"type", "integer"}, {"minimum", 1}, {"maximum", 3600}, {"default", 60}, {"description", "Seconds"}}}},
                   {"command"});
  schemas["IssueToken"] =
      closedObject({{"scope", {{"type", "string"}, {"enum", {"status", "exec", "vscode", "port", "ssh", "files"}}}},
                    {"ttl", {{"type", "integer"}, {"minimum", 1}, {"maximum", 3600}, {"default", 300}, {"description", "Seconds"}}}},
                   {"scope"});
  schemas["Credentials"] =
      closedObject({{"user", type("string")}, {"password", {{"type", "string"}, {"format", "password"}}}}, {"user", "password"});
}

void addAnswerSchemas(json::object& schemas) {
  schemas["Problem"] = problemSchema();
  schemas["Object"] = type("object");
  json::object note = closedObject({{"path", type("string")}, {"reason", type("string")}}, {"path", "reason"});
  schemas["ImportResult"] =
      closedObject({{"files", type("integer")},
                    {"bytes", {{"type", "integer"}, {"description", "Of their content"}}},
                    {"workspace", {{"type", "string"}, {"description", "Name of the one that was exported"}}},
                    {"notes", {{"type", "array"}, {"items", std::move(note)}, {"description", "What was left out, at most 200"}}},
                    {"count", {{"type", "integer"}, {"description", "How many notes there are in all"}}}},
                   {"files", "bytes", "workspace", "notes", "count"});
  schemas["StartedInstanceOrPlan"] = json::object{{"oneOf", {ref("StartedInstance"), ref("MigrationPlan")}}};
  schemas["StartedInstance"] = with("Instance", {{"operationId", {{"type", "string"}, {"description", "The operation that was begun"}}}});
  schemas["UpdatedInstance"] = with("Instance", {{"effect", {{"type", "string"}, {"enum", {"none", "live", "restart"}}}}});
  schemas["InstanceList"] = listOf("Instance");
  schemas["OperationList"] = listOf("Operation");
  schemas["Volume"] =
      closedObject({{"name", type("string")},
                    {"instanceId", {{"type", "string"}, {"description", "The one it was made for"}}},
                    {"owner", type("string")},
                    {"mountPath", type("string")},
                    {"inUse", type("boolean")},
                    {"createdAt", {{"type", {"string", "null"}}, {"format", "date-time"}}},
                    {"stray",
                     {{"type", "boolean"},
                      {"description",
                       "It holds no storage of the instance (the provider performed a request twice, or a copy was cut off) "
                       "and is billed all the same; its name is the provider's id"}}}},
                   {"name", "instanceId", "owner", "mountPath", "inUse", "createdAt", "stray"});
  schemas["VolumeList"] = listOf("Volume");
  schemas["SnapshotList"] = listOf("Snapshot");
  schemas["InstanceSnapshots"] =
      closedObject({{"items", {{"type", "array"}, {"items", ref("Snapshot")}}},
                    {"missing", {{"type", "string"}, {"description", "Why the provider's own are not among them; absent when they are"}}}},
                   {"items"});
  schemas["ProviderDetails"] = closedObject({{"type", ref("ProviderType")},
                                             {"status", ref("ProviderHealth")},
                                             {"detail", {{"type", "string"}, {"description", "Why it is not healthy"}}},
                                             {"instances", type("integer")},
                                             {"isDefault", type("boolean")},
                                             {"regions", {{"type", "array"}, {"items", type("string")}}},
                                             {"capabilities", ref("ProviderCapabilities")}},
                                            {"type", "status", "detail", "instances", "isDefault", "regions", "capabilities"});
  schemas["ProviderList"] = listOf("ProviderDetails");
  json::object check =
      closedObject({{"name", type("string")}, {"ok", type("boolean")}, {"detail", type("string")}}, {"name", "ok", "detail"});
  schemas["ProviderValidation"] =
      closedObject({{"type", ref("ProviderType")}, {"ok", type("boolean")}, {"checks", {{"type", "array"}, {"items", std::move(check)}}}},
                   {"type", "ok", "checks"});
  json::object principal{
      {"user", type("string")}, {"role", {{"type", "string"}, {"enum", {"viewer", "user", "admin"}}}}, {"expiresAt", time()}};
  json::object login = principal;
  login["token"] = {{"type", "string"}, {"description", "For Authorization: Bearer"}};
  schemas["Login"] = closedObject(std::move(login), {"token", "user", "role", "expiresAt"});
  principal["authenticated"] = type("boolean");
  schemas["AuthStatus"] = closedObject(std::move(principal), {"authenticated", "user", "role", "expiresAt"});
  schemas["InstanceToken"] =
      closedObject({{"token", type("string")}, {"instanceId", type("string")}, {"scope", type("string")}, {"expiresAt", time()}},
                   {"token", "instanceId", "scope", "expiresAt"});
  schemas["Health"] = closedObject({{"status", type("string")}}, {"status"});
  schemas["Version"] = closedObject({{"name", type("string")}, {"version", type("string")}}, {"name", "version"});
}

json::object parameterJson(const Parameter& parameter) {
  using Kind = Parameter::Kind;
  json::object schema = type("string");
  switch (parameter.kind) {
    case Kind::Integer:
      schema = {{"type", "integer"}, {"minimum", parameter.minimum}, {"maximum", parameter.maximum}};
      break;
    case Kind::Flag:
      schema = type("boolean");
      break;
    case Kind::Time:
      schema = time();
      break;
    case Kind::Choice: {
      json::array choices;
      for (std::string_view choice : parameter.choices) choices.push_back(json::string(choice));
      schema["enum"] = std::move(choices);
      break;
    }
    case Kind::Text:
      if (parameter.maximum > 0) schema["maxLength"] = parameter.maximum;
      break;
    case Kind::Labels:
      schema = {{"type", "object"}, {"additionalProperties", type("string")}};
      break;
  }
  bool is_path = parameter.place == Parameter::Place::Path;
  return {{"name", parameter.kind == Kind::Labels ? "label" : parameter.name},
          {"in", is_path                                      ? "path"
                 : parameter.place == Parameter::Place::Query ? "query"
                                                              : "header"},
          {"required", is_path},
          {"description", parameter.description},
          {"schema", std::move(schema)}};
}

json::object answerJson(const Answer& answer) {
  json::object out{{"description", answer.description}};
  json::object headers;
  headers["X-Request-Id"] = {{"schema", type("string")}};
  out["headers"] = std::move(headers);
  if (!answer.schema.empty()) {
    out["content"] = json::object{{answer.contentType, {{"schema", ref(answer.schema)}}}};
  } else if (answer.contentType != "application/json") {
    out["content"] = json::object{{answer.contentType, {{"schema", type("string")}}}};
  }
  return out;
}

json::object operationJson(const Endpoint& route) {
  json::object out;
  out["operationId"] = route.operationId;
  out["tags"] = json::array{json::string(route.tag)};
  out["summary"] = route.summary;
  if (!route.parameters.empty()) {
    json::array parameters;
    for (const Parameter& parameter : route.parameters) parameters.push_back(parameterJson(parameter));
    out["parameters"] = std::move(parameters);
  }
  if (route.body == BodyRule::Bytes) {
    out["requestBody"] =
        json::object{{"required", true}, {"content", {{route.bodySchema, {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
  } else if (route.body != BodyRule::None) {
    out["requestBody"] =
        json::object{{"required", route.body == BodyRule::Json}, {"content", {{"application/json", {{"schema", ref(route.bodySchema)}}}}}};
  }
  json::object responses;
  for (const Answer& answer : route.answers) responses[std::to_string(answer.status)] = answerJson(answer);
  responses["default"] = json::object{{"$ref", "#/components/responses/Problem"}};
  out["responses"] = std::move(responses);
  if (route.permission == Permission::Public) out["security"] = json::array();
  if (!route.upgrade.empty()) out["x-upgrade"] = route.upgrade;
  return out;
}

std::string methodKey(std::string_view method) {
  std::string key;
  for (char c : method) key += static_cast<char>(c - 'A' + 'a');
  return key;
}

}  // namespace

json::object makeOpenApi(const std::vector<Endpoint>& table) {
  json::object paths;
  for (const Endpoint& route : table) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path.emplace_object();
    path.get_object()[methodKey(route.method)] = operationJson(route);
  }
  json::object schemas = jsonSchemas();
  addRequestSchemas(schemas);
  addAnswerSchemas(schemas);
  json::object problem{{"description", "A problem document (RFC 9457)"},
                       {"content", {{"application/problem+json", {{"schema", ref("Problem")}}}}}};
  json::object security{{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
                        {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "swarm_session"}}}};
  json::object document;
  document["openapi"] = "3.1.0";
  document["info"] = json::object{{"title", "VSCode Remote Swarm"},
                                  {"version", SWARM_VERSION},
                                  {"description", "Workspaces on Docker and Fly.io"},
                                  {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
  document["servers"] = json::array{json::object{{"url", "/"}}};
  document["security"] = json::array{json::object{{"bearer", json::array()}}, json::object{{"cookie", json::array()}}};
  document["paths"] = std::move(paths);
  document["components"] = json::object{
      {"schemas", std::move(schemas)}, {"responses", {{"Problem", std::move(problem)}}}, {"securitySchemes", std::move(security)}};
  return document;
}

}  // namespace swarm::api
