// Helpers for the schemas that are not generated from the model.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "provider/candidate.h"

namespace swarm::api::schema {

namespace json = boost::json;

inline json::object ref(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }
inline json::object ref(std::string_view name, std::string_view description) {
  json::object out = ref(name);
  out["description"] = description;
  return out;
}
inline json::object type(std::string_view name) { return {{"type", name}}; }
inline json::object type(std::string_view name, std::string_view description) { return {{"type", name}, {"description", description}}; }
inline json::object time() { return {{"type", "string"}, {"format", "date-time"}}; }
inline json::object integer(std::int64_t minimum, std::int64_t maximum, std::string_view description) {
  return {{"type", "integer"}, {"minimum", minimum}, {"maximum", maximum}, {"description", description}};
}
inline json::object oneOf(json::array values) { return {{"type", "string"}, {"enum", std::move(values)}}; }
inline json::object arrayOf(json::object items) { return {{"type", "array"}, {"items", std::move(items)}}; }

/// A response: a newer server may send more members.
inline json::object object(json::object properties, json::array required) {
  json::object out{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}
/// A request: other members are refused.
inline json::object closedObject(json::object properties, json::array required) {
  json::object out = object(std::move(properties), std::move(required));
  out["additionalProperties"] = false;
  return out;
}
inline json::object anyOf(std::string_view first, std::string_view second) { return {{"anyOf", {ref(first), ref(second)}}}; }

/// A page of a list.
inline json::object pageOf(std::string_view item) {
  return object({{"items", arrayOf(ref(item))}, {"nextCursor", type("string", "For the next page; absent on the last one")}}, {"items"});
}

/// These complete the schemas of the model, in this order.
void addRequestSchemas(json::object& schemas, const CandidateForms& candidates);
void addResponseSchemas(json::object& schemas);
void addResponseExamples(json::object& schemas);
/// Valid bodies of the request with this schema, by name, for the document and for the tests that send them.
json::object requestExamples(std::string_view schema, const CandidateForms& candidates);

}  // namespace swarm::api::schema
