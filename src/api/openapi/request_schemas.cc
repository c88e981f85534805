// The parts of request schemas that model/requests.h does not describe. They have no `default`: code generators always send a member that
// has one, and an update must leave absent members unchanged.
#include <boost/json/parse.hpp>

#include "api/openapi/schema_parts.h"

namespace swarm::api::schema {
namespace {

void addChanges(json::object& schemas) {
  json::object& update = schemas["UpdateInstance"].get_object();
  update["description"] =
      "Absent members stay. resources, network and security are merged; env, labels and metadata are replaced as a whole.";
  update["minProperties"] = 1;

  json::object patched_map{{"type", {"object", "null"}}, {"additionalProperties", {{"type", {"string", "null"}}}}};
  auto nullable = [](std::string_view name) { return json::object{{"anyOf", {ref(name), {{"type", "null"}}}}}; };
  json::object patch = closedObject({{"resources", nullable("ResourceMergePatch")},
                                     {"network", nullable("NetworkMergePatch")},
                                     {"security", nullable("SecurityMergePatch")},
                                     {"env", patched_map},
                                     {"labels", patched_map},
                                     {"metadata", {{"type", {"object", "null"}}}}},
                                    {});
  patch["description"] = "JSON merge patch (RFC 7396): absent members stay; null removes a member, or resets it to its default.";
  patch["minProperties"] = 1;
  schemas["PatchInstance"] = std::move(patch);
}

/// The contents of a provider's section of swarm.toml.
void addProviderCandidates(json::object& schemas, const CandidateForms& candidates) {
  json::array references;
  for (const auto& [type, form] : candidates) {
    schemas[form.name] = json::parse(form.schema);
    references.push_back(ref(form.name));
  }
  schemas["ProviderCandidate"] = references.empty() ? type("object") : json::object{{"anyOf", std::move(references)}};
}

}  // namespace

void addRequestSchemas(json::object& schemas, const CandidateForms& candidates) {
  addChanges(schemas);
  addProviderCandidates(schemas, candidates);
  schemas["IssueToken"].get_object()["properties"].get_object()["scope"] = ref("TokenScope");
}

}  // namespace swarm::api::schema
