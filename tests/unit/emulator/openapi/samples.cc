// The raw document is parsed independently: the checker's own representation is under test.
#include "unit/emulator/openapi/samples.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>

#include "emulator/openapi/document.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

const json::object& raw() {
  static const json::value kTree = json::parse(emulator::openapi::documentText());
  return kTree.as_object();
}

const json::object& at(std::string_view reference) {
  return raw().at("components").at("schemas").at(reference.substr(reference.rfind('/') + 1)).as_object();
}

json::value sampleValue(const json::object& unresolved) {
  const json::object& schema = resolved(unresolved);
  if (const json::value* allowed = schema.if_contains("enum")) return allowed->as_array().back();
  const std::string_view type = schema.at("type").as_string();
  if (type == "string") return "text";
  if (type == "boolean") return true;
  if (type == "integer") return schema.contains("minimum") ? schema.at("minimum") : json::value(7);
  if (type == "number") return 0.5;
  if (type == "array") return json::array{sampleValue(schema.at("items").as_object())};
  json::object object;
  if (const json::value* properties = schema.if_contains("properties")) {
    for (const auto& property : properties->as_object()) object[property.key()] = sampleValue(property.value().as_object());
  }
  if (const json::value* additional = schema.if_contains("additionalProperties")) object["any/key"] = sampleValue(additional->as_object());
  return object;
}

std::string filled(std::string path) {
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
    path.replace(open, path.find('}') - open + 1, "x1");
  }
  return path;
}

std::string sampleText(const json::object& schema) {
  const json::value value = sampleValue(schema);
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

}  // namespace

const json::object& resolved(const json::object& schema) {
  if (const json::value* reference = schema.if_contains("$ref")) return resolved(at(std::string_view(reference->as_string())));
  if (const json::value* all = schema.if_contains("allOf")) return resolved(all->as_array().at(0).as_object());
  return schema;
}

std::vector<Operation> allOperations() {
  std::vector<Operation> operations;
  for (const auto& path : raw().at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      std::string method(operation.key());
      std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      operations.push_back({method, std::string(path.key()), operation.value().as_object()});
    }
  }
  return operations;
}

const json::object* bodySchema(const Operation& operation) {
  const json::value* body = operation.tree.if_contains("requestBody");
  return body ? &resolved(body->at("content").at("application/json").at("schema").as_object()) : nullptr;
}

std::string Sample::bodyText() const { return hasBody ? json::serialize(body) : std::string(); }

Sample sampleOf(const Operation& operation) {
  Sample sample;
  sample.method = operation.method;
  sample.path = filled(operation.route);
  if (const json::value* parameters = operation.tree.if_contains("parameters")) {
    for (const json::value& parameter : parameters->as_array()) {
      if (parameter.at("in").as_string() != "query") continue;
      sample.query += (sample.query.empty() ? "" : "&") + filled(std::string(parameter.at("name").as_string())) + "=" +
                      sampleText(parameter.at("schema").as_object());
    }
  }
  if (const json::object* schema = bodySchema(operation)) {
    sample.hasBody = true;
    sample.contentType = "application/json";
    sample.body = sampleValue(*schema);
  }
  return sample;
}

void setAt(json::value& tree, const std::string& pointer, json::value value) {
  const auto slash = pointer.rfind('/');
  if (slash == std::string::npos) {
    tree = std::move(value);
    return;
  }
  json::value& parent = tree.at_pointer(pointer.substr(0, slash));
  const std::string step = pointer.substr(slash + 1);
  if (parent.is_array()) {
    parent.as_array().at(std::stoul(step)) = std::move(value);
  } else {
    parent.as_object()[step == "any~1key" ? "any/key" : step] = std::move(value);
  }
}

void walkBody(const json::object& unresolved, const std::string& pointer,
              const std::function<void(const json::object& schema, const std::string& pointer)>& visit) {
  const json::object& schema = resolved(unresolved);
  visit(schema, pointer);
  if (const json::value* items = schema.if_contains("items")) walkBody(items->as_object(), pointer + "/0", visit);
  if (const json::value* properties = schema.if_contains("properties")) {
    for (const auto& property : properties->as_object())
      walkBody(property.value().as_object(), pointer + "/" + std::string(property.key()), visit);
  }
  if (const json::value* additional = schema.if_contains("additionalProperties"))
    walkBody(additional->as_object(), pointer + "/any~1key", visit);
}

}  // namespace swarm::test
