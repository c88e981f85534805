// The parts of request schemas that model/requests.h does not describe. They have no `default`: code generators always send a member that
// has one, and an update must leave absent members unchanged.
#include "api/openapi/schema_parts.h"

namespace swarm::api::schema {
namespace {

void addChanges(json::object& schemas) {
  json::object& update = schemas["UpdateInstance"].get_object();
  update["description"] = "Absent members stay. resources and network are merged; env, labels and metadata are replaced as a whole.";
  update["minProperties"] = 1;

  json::object patched_map{{"type", {"object", "null"}}, {"additionalProperties", {{"type", {"string", "null"}}}}};
  auto nullable = [](std::string_view name) { return json::object{{"anyOf", {ref(name), {{"type", "null"}}}}}; };
  json::object patch = closedObject({{"resources", nullable("ResourceMergePatch")},
                                     {"network", nullable("NetworkMergePatch")},
                                     {"env", patched_map},
                                     {"labels", patched_map},
                                     {"metadata", {{"type", {"object", "null"}}}}},
                                    {});
  patch["description"] = "JSON merge patch (RFC 7396): absent members stay; null removes a member, or resets it to its default.";
  patch["minProperties"] = 1;
  schemas["PatchInstance"] = std::move(patch);
}

/// The contents of [docker] and [flyio] of swarm.toml.
void addProviderCandidates(json::object& schemas) {
  json::object tls = closedObject({{"ca", type("string", "PEM; absent: the system's authorities")},
                                   {"certificate", type("string", "PEM; client certificate of the server")},
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
  addChanges(schemas);
  addProviderCandidates(schemas);
  schemas["IssueToken"].get_object()["properties"].get_object()["scope"] = ref("TokenScope");
}

}  // namespace swarm::api::schema
