// Schemas of request bodies. No `default` anywhere: code generators make a member with one a member that is always sent, and an update
// leaves alone what is absent.
#include "api/schema_parts.h"

namespace swarm::api::schema {
namespace {

/// InstanceConfig as one closed object with what stands beside it: a composition with allOf would refuse the other part's members.
void addCreateInstance(json::object& schemas) {
  json::object& properties = schemas["CreateInstance"].get_object()["properties"].get_object();
  properties["provider"] = ref("ProviderType", "Absent: placement chooses");
  json::object regions = arrayOf(type("string"));
  regions["maxItems"] = 16;
  regions["description"] = "Regions of Fly.io or names of Docker hosts, tried in this order; they choose the provider, too";
  properties["regions"] = std::move(regions);
  properties["owner"] = {
      {"type", "string"}, {"minLength", 1}, {"maxLength", 64}, {"description", "Another user, for administrators; absent: the caller"}};
}

void addChanges(json::object& schemas) {
  json::object map{{"type", "object"}, {"additionalProperties", type("string")}};
  json::object update = closedObject(
      {{"resources", ref("ResourcePatch")}, {"network", ref("NetworkPatch")}, {"env", map}, {"labels", map}, {"metadata", type("object")}},
      {});
  update["description"] = "What is absent stays. resources and network are merged; env, labels and metadata are replaced whole.";
  update["minProperties"] = 1;
  schemas["UpdateInstance"] = std::move(update);

  json::object patched_map{{"type", {"object", "null"}}, {"additionalProperties", {{"type", {"string", "null"}}}}};
  auto nullable = [](std::string_view name) { return json::object{{"anyOf", {ref(name), {{"type", "null"}}}}}; };
  json::object patch = closedObject({{"resources", nullable("ResourceMergePatch")},
                                     {"network", nullable("NetworkMergePatch")},
                                     {"env", patched_map},
                                     {"labels", patched_map},
                                     {"metadata", {{"type", {"object", "null"}}}}},
                                    {});
  patch["description"] = "JSON merge patch (RFC 7396): what is absent stays; null removes a member, or sets it back to its default.";
  patch["minProperties"] = 1;
  schemas["PatchInstance"] = std::move(patch);

  schemas["MigrateInstance"] = closedObject({{"targetProvider", ref("ProviderType", "Absent: the one it is at, in another region")},
                                             {"region", type("string", "Fly's region, or the name of a Docker host")},
                                             {"resources", ref("ResourcePatch", "What is absent stays")},
                                             {"keepSource", type("boolean", "Keep the source, stopped, to go back to; false when absent")},
                                             {"keepHours", integer(1, 8760, "How long it is kept, with keepSource; 24 when absent")},
                                             {"bandwidthLimit", integer(0, INT64_MAX, "Bytes per second; 0 or absent: none")},
                                             {"back", type("boolean", "To the source that an earlier move kept; false when absent")},
                                             {"dryRun", type("boolean", "Change nothing; answer with a MigrationPlan; false when absent")}},
                                            {});
}

/// What [docker] and [flyio] of swarm.toml hold, as contents.
void addProviderCandidates(json::object& schemas) {
  json::object tls = closedObject({{"ca", type("string", "PEM; absent: the system's authorities")},
                                   {"certificate", type("string", "PEM; our client certificate")},
                                   {"key", {{"type", "string"}, {"format", "password"}, {"description", "PEM; its key"}}}},
                                  {});
  schemas["DockerCandidate"] = closedObject({{"host", type("string", "Name or address of a TCP endpoint")},
                                             {"port", integer(1, 65'535, "2376 with TLS, 2375 without, when absent")},
                                             {"tls", std::move(tls)}},
                                            {"host"});
  schemas["FlyCandidate"] =
      closedObject({{"apiToken", {{"type", "string"}, {"format", "password"}, {"description", "As `fly tokens create org` prints it"}}},
                    {"organization", type("string", "\"personal\" when absent")},
                    {"regions", arrayOf(type("string"))},
                    {"defaultRegion", type("string")},
                    {"apiBaseUrl", type("string", "The configured one, or Fly's own, when absent")},
                    {"ca", type("string", "PEM; the only authorities to trust; absent: the system's")}},
                   {"apiToken"});
  schemas["ProviderCandidate"] = anyOf("DockerCandidate", "FlyCandidate");
}

}  // namespace

void addRequestSchemas(json::object& schemas) {
  addCreateInstance(schemas);
  addChanges(schemas);
  addProviderCandidates(schemas);
  schemas["SetGitIdentity"] = closedObject(
      {{"name", {{"type", "string"}, {"maxLength", 128}}}, {"email", {{"type", "string"}, {"maxLength", 254}}}}, {"name", "email"});
  schemas["TakeSnapshot"] = closedObject({{"name", type("string", "Unique among the instance's; absent: the time")}}, {});
  schemas["RestoreSnapshot"] = closedObject({{"snapshot", type("string", "Its name, or its id")}}, {"snapshot"});
  json::object command = arrayOf(type("string"));
  command["minItems"] = 1;
  schemas["ExecuteCommand"] = closedObject(
      {{"command", std::move(command)}, {"stdin", type("string")}, {"timeout", integer(1, 3600, "Seconds; 60 when absent")}}, {"command"});
  schemas["IssueToken"] = closedObject({{"scope", ref("TokenScope")}, {"ttl", integer(1, 3600, "Seconds; 300 when absent")}}, {"scope"});
  schemas["Credentials"] = closedObject(
      {{"user", {{"type", "string"}, {"maxLength", 256}}}, {"password", {{"type", "string"}, {"format", "password"}, {"maxLength", 1024}}}},
      {"user", "password"});
  schemas["CreateLoginLink"] = closedObject(
      {{"instance",
        {{"type", "string"}, {"maxLength", 63}, {"description", "The workspace that the link opens; absent: the list of workspaces"}}}},
      {});
}

}  // namespace swarm::api::schema
