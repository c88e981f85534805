// The keywords that Fly's document uses: type, properties, required, additionalProperties, items, enum, minimum, maximum, $ref, and allOf
// with one member.
#include "emulator/openapi/schema_check.h"

#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "emulator/openapi/document.h"

namespace swarm::emulator::openapi {
namespace {

namespace json = boost::json;

std::string_view kindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a fraction";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

// Go, the language of Fly's server, does not accept 1.0 as an integer.
bool hasType(const json::value& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "array") return value.is_array();
  return value.is_object();
}

std::string withArticle(std::string_view type) {
  return format("{} {}", type == "integer" || type == "array" || type == "object" ? "an" : "a", type);
}

std::string textOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? std::string(value->as_string()) : std::string();
}

std::string escapedStep(std::string_view key) {
  std::string step = "/";
  for (char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

class ValueCheck {
 public:
  ValueCheck(Reading reading, std::vector<Finding>& findings) : reading_(reading), findings_(findings) {}

  void check(const json::value& value, const json::object& unresolved, const std::string& pointer) {
    const json::object& schema = resolve(unresolved);
    // Fly's own client sends null for absent values, and Go reads it as such.
    bool may_be_null = reading_ == Reading::Open || schema.contains("nullable") || !pointer.empty();
    if (value.is_null() && may_be_null) return;
    if (isAlso(value, schema, pointer)) return;
    const std::string type = textOf(schema, "type");
    if (!type.empty() && !hasType(value, type)) {
      add(pointer, format("must be {}, and is {}", withArticle(type), kindName(value)));
      return;
    }
    checkEnum(value, schema, pointer);
    checkRange(value, schema, pointer);
    if (const json::array* items = value.if_array()) checkItems(*items, schema, pointer);
    if (const json::object* object = value.if_object()) checkObject(*object, schema, pointer);
  }

 private:
  void add(const std::string& pointer, const std::string& what) {
    if (findings_.size() >= kMaxFindings) return;
    findings_.push_back({Location::Body, pointer, format("{} {}.", pointer.empty() ? "The body" : format("The body's {}", pointer), what)});
  }

  bool isAlso(const json::value& value, const json::object& schema, const std::string& pointer) const {
    const json::value* others = schema.if_contains("x-also");
    if (!others) return false;
    for (const json::value& other : others->as_array()) {
      std::vector<Finding> found;
      ValueCheck(reading_, found).check(value, other.as_object(), pointer);
      if (found.empty()) return true;
    }
    return false;
  }

  void checkEnum(const json::value& value, const json::object& schema, const std::string& pointer) {
    const json::value* allowed = schema.if_contains("enum");
    if (!allowed) return;
    for (const json::value& one : allowed->as_array()) {
      if (one == value) return;
    }
    add(pointer, format("must be one of {}", json::serialize(*allowed)));
  }

  void checkRange(const json::value& value, const json::object& schema, const std::string& pointer) {
    if (!value.is_number()) return;
    const double number = value.to_number<double>();
    const json::value* minimum = schema.if_contains("minimum");
    const json::value* maximum = schema.if_contains("maximum");
    if (minimum && number < minimum->to_number<double>()) add(pointer, format("must be at least {}", json::serialize(*minimum)));
    if (maximum && number > maximum->to_number<double>()) add(pointer, format("must be at most {}", json::serialize(*maximum)));
  }

  void checkItems(const json::array& items, const json::object& schema, const std::string& pointer) {
    const json::value* item = schema.if_contains("items");
    if (!item) return;
    for (std::size_t i = 0; i < items.size(); ++i) check(items[i], item->as_object(), format("{}/{}", pointer, i));
  }

  void checkObject(const json::object& object, const json::object& schema, const std::string& pointer) {
    const json::value* properties = schema.if_contains("properties");
    const json::value* additional = schema.if_contains("additionalProperties");
    for (const json::key_value_pair& member : object) {
      const std::string place = pointer + escapedStep(member.key());
      const json::value* known = properties ? properties->as_object().if_contains(member.key()) : nullptr;
      if (known) {
        check(member.value(), known->as_object(), place);
      } else if (additional && additional->is_object()) {
        check(member.value(), additional->as_object(), place);
      } else if (properties && reading_ == Reading::Closed) {
        add(place, "is not a property of this object in Fly's document");
      }
    }
    const json::value* required = schema.if_contains("required");
    if (!required) return;
    for (const json::value& name : required->as_array()) {
      if (!object.contains(name.as_string())) add(pointer + escapedStep(name.as_string()), "is required and missing");
    }
  }

  Reading reading_;
  std::vector<Finding>& findings_;
};

}  // namespace

void checkValue(const json::value& value, const json::object& schema, Reading reading, const std::string& pointer,
                std::vector<Finding>& findings) {
  ValueCheck(reading, findings).check(value, schema, pointer);
}

}  // namespace swarm::emulator::openapi
