// Reads parameters and bodies.
#include "emulator/api/call.h"

#include <boost/json/parse.hpp>

#include "base/text/format.h"
#include "base/text/number.h"
#include "emulator/rules/config/config_view.h"

namespace swarm::emulator {

json::object parseBody(std::string_view text, std::string_view go_type) {
  boost::system::error_code code;
  json::value value = json::parse(text, code);
  if (code) refuse(400, format("invalid character in request body: {}", code.message()));  // I: the wording
  if (!value.is_object()) refuse(400, format("json: cannot unmarshal {} into Go value of type {}", goKind(value), go_type));
  return std::move(value.get_object());
}

const json::value* Body::find(std::string_view name, json::kind kind, std::string_view go_type) const {
  const json::value* value = object_.if_contains(name);
  if (!value || value->is_null()) return nullptr;
  if (value->kind() != kind) wrongType(name, *value, go_type);
  return value;
}

bool Body::has(std::string_view name) const { return object_.contains(name) && !object_.at(name).is_null(); }

void Body::wrongType(std::string_view name, const json::value& value, std::string_view wanted) const {
  std::string_view field = go_type_.substr(go_type_.rfind('.') + 1);
  refuse(400, format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", goKind(value), field, name, wanted));
}

std::string Body::text(std::string_view name) const {
  const json::value* value = find(name, json::kind::string, "string");
  return value ? std::string(value->get_string()) : "";
}

std::optional<std::int64_t> Body::integer(std::string_view name) const {
  const json::value* value = find(name, json::kind::int64, "int");
  return value ? std::optional(value->get_int64()) : std::nullopt;
}

std::optional<bool> Body::flag(std::string_view name) const {
  const json::value* value = find(name, json::kind::bool_, "bool");
  return value ? std::optional(value->get_bool()) : std::nullopt;
}

const json::object* Body::object(std::string_view name) const {
  const json::value* value = find(name, json::kind::object, "map[string]interface {}");
  return value ? &value->get_object() : nullptr;
}

const json::array* Body::list(std::string_view name) const {
  const json::value* value = find(name, json::kind::array, "[]interface {}");
  return value ? &value->get_array() : nullptr;
}

std::vector<std::string> Body::texts(std::string_view name) const {
  std::vector<std::string> texts;
  const json::array* values = list(name);
  if (!values) return texts;
  for (const json::value& value : *values) {
    if (!value.is_string()) wrongType(name, value, "string");
    texts.emplace_back(value.get_string());
  }
  return texts;
}

std::optional<std::string> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Call::parameterList(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters) {
    if (key != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view part = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      if (!part.empty()) values.emplace_back(part);
    }
  }
  return values;
}

bool Call::flag(std::string_view name) const {
  auto value = parameter(name);
  return value && (value->empty() || *value == "true" || *value == "1");
}

std::optional<std::int64_t> Call::integer(std::string_view name, std::int64_t minimum, std::int64_t maximum) const {
  auto text = parameter(name);
  if (!text) return std::nullopt;
  const auto value = parseNumber<std::int64_t>(*text);
  if (!value || *value < minimum || *value > maximum)
    refuse(400, format("invalid {}: must be between {} and {}", name, minimum, maximum));  // I: the wording
  return value;
}

}  // namespace swarm::emulator
