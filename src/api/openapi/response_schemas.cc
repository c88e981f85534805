// Schemas of responses that model/responses.h does not describe: problems, extended instances, events, sign-in.
#include <algorithm>

#include "api/openapi/schema_parts.h"
#include "auth/permissions.h"
#include "base/error.h"
#include "protocol/instance_token.h"

namespace swarm::api::schema {
namespace {

/// `base` with more members, as one flat object.
json::object with(const json::object& schemas, std::string_view base, json::object properties) {
  json::object out = schemas.at(base).as_object();
  for (auto& [name, member] : properties) {
    out["properties"].get_object()[name] = std::move(member);
    json::array& required = out["required"].get_array();
    if (std::find(required.begin(), required.end(), json::value(name)) == required.end()) required.push_back(json::string(name));
  }
  return out;
}

json::object problemSchema() {
  json::object error =
      object({{"pointer", type("string", "JSON pointer, ?NAME of a query parameter, or \"header NAME\"")}, {"detail", type("string")}},
             {"pointer", "detail"});
  json::array types;
  for (ErrorCode code : errorCodes()) types.push_back(json::string("urn:swarm:problem:" + std::string(toString(code))));
  json::object out = object({{"type", oneOf(std::move(types))},
                             {"title", type("string", "The same for every problem of its kind")},
                             {"status", integer(400, 599, "The status of the response")},
                             {"detail", type("string", "What failed, why, and the next step if there is one")},
                             {"code", ref("ErrorCode")},
                             {"instance", {{"type", "string"}, {"format", "uri-reference"}}},
                             {"requestId", type("string")},
                             {"retryable", type("boolean", "Whether the same request may succeed later")},
                             {"errors", arrayOf(std::move(error))},
                             {"upstream", object({{"status", type("integer")}, {"requestId", type("string")}}, {})}},
                            {"type", "title", "status", "detail", "code", "instance", "requestId", "retryable"});
  out["description"] = "RFC 9457";
  return out;
}

json::array issuedScopes() {
  json::array names;
  for (TokenScope scope : kIssuedScopes) names.push_back(json::string(toString(scope)));
  return names;
}

void addInstances(json::object& schemas) {
  schemas["StartedInstance"] = with(schemas, "Instance", {{"operationId", type("string", "The operation that was started")}});
  schemas["UpdatedInstance"] = with(schemas, "Instance", {{"effect", ref("UpdateEffect")}});
  schemas["UpdatedInstanceOrPlan"] = anyOf("UpdatedInstance", "UpdatePlan");
  schemas["StartedInstanceOrPlan"] = anyOf("StartedInstance", "MigrationPlan");
  schemas["InstanceSelection"].get_object()["description"] = "The members of an Instance that `fields` named";
  schemas["InstanceList"] = pageOf("Instance");
  schemas["InstanceSelectionList"] = pageOf("InstanceSelection");
  schemas["InstanceOrSelection"] = anyOf("Instance", "InstanceSelection");
  schemas["InstanceListOrSelection"] = anyOf("InstanceList", "InstanceSelectionList");
  schemas["ProviderList"] = object({{"items", arrayOf(ref("ProviderDetails"))}}, {"items"});
  schemas["TokenScope"] = oneOf(issuedScopes());
  schemas["InstanceToken"].get_object()["properties"].get_object()["scope"] = ref("TokenScope");
  schemas["LogLine"] = object({{"line", type("string")}}, {"line"});
}

void addAudit(json::object& schemas) {
  schemas["AuditEntry"] = with(schemas, "AuditRecord",
                               {{"previous", type("string", "Hash of the record before it")},
                                {"hash", type("string", "SHA-256 of `previous`, a line break, and this object without both members")}});
  schemas.erase("AuditRecord");
}

void addSnapshotsAndImports(json::object& schemas) {
  schemas["InstanceSnapshots"] = object(
      {{"items", arrayOf(ref("Snapshot"))}, {"missing", type("string", "Why the provider's own are left out; absent when they are not")}},
      {"items"});
  json::object notes = arrayOf(object({{"path", type("string")}, {"reason", type("string")}}, {"path", "reason"}));
  notes["description"] = "What was left out, at most 200";
  schemas["ImportResult"] = object({{"files", type("integer")},
                                    {"bytes", type("integer", "Of their content")},
                                    {"workspace", type("string", "Name of the exported workspace")},
                                    {"notes", std::move(notes)},
                                    {"count", type("integer", "Total number of notes")}},
                                   {"files", "bytes", "workspace", "notes", "count"});
}

/// The JSON behind `data:` of each event, by the name behind `event:`.
void addEvents(json::object& schemas) {
  schemas["InstanceEvent"] = object(
      {{"id", type("string")},
       {"name", type("string")},
       {"owner", type("string")},
       {"status", ref("InstanceStatus")},
       {"statusReason", type("string")},
       {"desired", ref("InstanceStatus")},
       {"url", type("string")},
       {"version", type("integer")},
       {"stale", type("boolean")},
       {"imageOutdated", type("boolean")},
       {"ready", type("boolean", "VS Code responds")},
       {"operationId", type("string", "The operation in progress, or empty")}},
      {"id", "name", "owner", "status", "statusReason", "desired", "url", "version", "stale", "imageOutdated", "ready", "operationId"});
  schemas["ShareEvent"] = object({{"id", type("string")},
                                  {"name", type("string")},
                                  {"owner", type("string")},
                                  {"user", type("string", "With whom the instance is shared; absent for a group")},
                                  {"group", type("string", "With which it is shared; absent for a user")},
                                  {"member", type("string", "Who joined or left the group; absent when the share itself changed")},
                                  {"access", ref("ShareAccess")},
                                  {"state", oneOf({"granted", "ended"})},
                                  {"expiresAt", time()}},
                                 {"id", "name", "owner", "access", "state"});
  schemas["ProviderEvent"] =
      object({{"type", ref("ProviderType")}, {"event", type("string")}, {"detail", type("string")}}, {"type", "event", "detail"});
  schemas["LogEvent"] =
      object({{"time", time()}, {"level", oneOf({"warning", "error"})}, {"message", type("string")}}, {"time", "level", "message"});
  schemas["LogEvent"].get_object()["description"] =
      "A warning or an error of the server, for those who may see its metrics; further members are its facts";
  schemas["ResetEvent"] = object({}, {});
  schemas["ResetEvent"].get_object()["description"] = "Events were lost: read everything again";
  schemas["Event"] = {
      {"description", "By its name: instance, operation, share, provider, log, reset"},
      {"anyOf", {ref("InstanceEvent"), ref("Operation"), ref("ShareEvent"), ref("ProviderEvent"), ref("LogEvent"), ref("ResetEvent")}}};
}

void addSessions(json::object& schemas) {
  schemas["CreatedAccessToken"] = with(schemas, "AccessToken", {{"token", type("string", "The secret, for Authorization: Bearer")}});
  json::object principal{{"user", type("string")}, {"role", ref("Role")}, {"expiresAt", time()}};
  json::object login = principal;
  login["token"] = type("string", "For Authorization: Bearer");
  schemas["Login"] = object(std::move(login), {"token", "user", "role", "expiresAt"});
  principal["authenticated"] = type("boolean");
  principal["accessToken"] = ref("AccessToken");
  schemas["AuthStatus"] = object(std::move(principal), {"authenticated", "user", "role", "expiresAt"});
}

}  // namespace

void addResponseSchemas(json::object& schemas) {
  schemas["Problem"] = problemSchema();
  addInstances(schemas);
  addSnapshotsAndImports(schemas);
  addAudit(schemas);
  addEvents(schemas);
  addSessions(schemas);
  schemas["OpenApiDocument"] = object({{"openapi", type("string")}, {"info", type("object")}, {"paths", type("object")}}, {"openapi"});
}

}  // namespace swarm::api::schema
