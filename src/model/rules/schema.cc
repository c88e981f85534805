// Walks the descriptions once for each shape, and adds what they can't say (units, ranges) from the notes.
#include "model/rules/schema.h"

#include "base/diagnostics/check.h"
#include "model/codec/codec_detail.h"
#include "model/codec/type_names.h"
#include "model/rules/rule_check.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// The same type looks different in a response and in a request.
enum class Shape {
  Response,    ///< every member is there; a newer server may add some
  Request,     ///< every member may be absent, and no other is taken. No `default`: an update leaves alone what is absent
  Body,        ///< as Request, of a type that requests alone have: what rules require is required
  MergePatch,  ///< as Request, and null sets a member back
  Selection,   ///< a part of a response
};

json::object refTo(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

template <codec::DescribedStruct T>
json::object structSchema(Shape shape);

// Not inlined, for the same reason as codec::write().
template <typename T>
[[gnu::noinline]] json::object typeSchema(Shape shape) {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::same_as<T, std::int64_t>) {
    return {{"type", "integer"}, {"format", "int64"}};
  } else if constexpr (std::same_as<T, double>) {
    return {{"type", "number"}};
  } else if constexpr (std::same_as<T, std::string> || codec::IsStrongId<T>::value) {
    return {{"type", "string"}};
  } else if constexpr (std::same_as<T, SystemTime>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (std::same_as<T, json::object>) {
    return {{"type", "object"}};
  } else if constexpr (std::same_as<T, Error>) {
    return refTo("Error");
  } else if constexpr (codec::IsOptional<T>::value) {
    return typeSchema<typename T::value_type>(shape);
  } else if constexpr (codec::IsVector<T>::value) {
    // A list is replaced as a whole.
    Shape items = shape == Shape::MergePatch ? Shape::Request : shape == Shape::Selection ? Shape::Response : shape;
    return {{"type", "array"}, {"items", typeSchema<typename T::value_type>(items)}};
  } else if constexpr (codec::IsMap<T>::value) {
    json::object value = typeSchema<typename T::mapped_type>(shape);
    if (shape == Shape::MergePatch) value["type"] = json::array{value["type"], "null"};
    return {{"type", "object"}, {"additionalProperties", std::move(value)}};
  } else if constexpr (codec::DescribedEnum<T>) {
    return refTo(kSchemaName<T>);
  } else {
    static_assert(!kSchemaName<T>.empty(), "list the type in SWARM_TYPES");
    if (shape == Shape::MergePatch || shape == Shape::Selection) return structSchema<T>(shape);
    return refTo(shape == Shape::Request ? kRequestName<T> : kSchemaName<T>);
  }
}

void addLength(json::object& schema, const FieldRule& rule) {
  const bool is_list = schema.contains("items");
  if (rule.minLength != 0) schema[is_list ? "minItems" : "minLength"] = rule.minLength;
  if (rule.maxLength) schema[is_list ? "maxItems" : "maxLength"] = *rule.maxLength;
}

void addRule(json::object& schema, std::string_view type, std::string_view member) {
  if (const FieldRule* rule = findFieldRule(type, member)) {
    std::string description(rule->description);
    if (rule->except) description += format("; not {}: {}", *rule->except, rule->exceptReason);
    if (!rule->atMost.empty()) description += format("; at most {}", codec::memberPath(rule->atMost));
    if (rule->fixed) description += "; an update replaces the container or Machine";
    if (!description.empty()) schema["description"] = description;
    json::object& number = schema.contains("items") ? schema["items"].get_object() : schema;
    if (rule->minimum) number["minimum"] = rule->zero.empty() ? *rule->minimum : 0.0;
    if (rule->maximum) number["maximum"] = *rule->maximum;
    if (!rule->format.empty()) schema["format"] = rule->format;
    addLength(schema, *rule);
  }
  for (const MemberName& time : kNullableTimes)
    if (time.type == type && time.member == member) schema["type"] = json::array{"string", "null"};
  for (const Choices& choices : kChoices) {
    if (choices.type != type || choices.member != member) continue;
    schema.erase("$ref");
    schema["type"] = "string";
    json::array values;
    for (std::string_view value : choices.values)
      if (!value.empty()) values.push_back(json::string(value));
    schema["enum"] = std::move(values);
  }
}

/// In words, since code generators make a member with a `default` one that is always sent.
void addDefault(json::object& schema, Shape shape, std::string_view value) {
  std::string text = schema.contains("description") ? std::string(schema["description"].as_string()) : std::string();
  if (!text.empty()) text += shape == Shape::Body ? "; " : ". ";
  schema["description"] =
      text + (shape == Shape::Body ? format("{} when absent", value) : format("When an instance is created: {} by default", value));
}

template <typename Part>
std::string defaultText(const Part& value) {
  if constexpr (std::is_arithmetic_v<Part>) {
    return format("{}", value);
  } else {
    return {};
  }
}

/// Whether an object of this shape has no other members than the described ones.
bool isClosed(Shape shape) { return shape == Shape::Request || shape == Shape::Body || shape == Shape::MergePatch; }

template <codec::DescribedEnum T>
[[gnu::noinline]] json::object enumSchema() {
  json::array names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto one) { names.push_back(json::string(codec::jsonEnumName<T>(one.name))); });
  return {{"type", "string"}, {"enum", std::move(names)}};
}

/// In a merge patch, null sets a member back.
void admitNull(json::object& schema) {
  if (const json::value* ref = schema.if_contains("$ref")) {
    json::object named{{"$ref", *ref}};
    schema.erase("$ref");
    schema["anyOf"] = json::array{std::move(named), json::object{{"type", "null"}}};
  } else {
    schema["type"] = json::array{schema["type"], "null"};
  }
}

/// A struct's schema, while its members are added.
struct Members {
  Shape shape;
  json::object properties{};
  json::array required{};

  /// `owner`: the type that describes the member. `initial`: its default in words, of a number or a bool.
  void add(std::string_view owner, std::string_view name, json::object schema, bool isOptional, std::string_view initial) {
    addRule(schema, owner, name);
    if (isClosed(shape) && !initial.empty()) addDefault(schema, shape, initial);
    const FieldRule* rule = findFieldRule(owner, name);
    if (shape == Shape::Body && rule && rule->required) required.push_back(json::string(name));
    if (shape == Shape::MergePatch) admitNull(schema);
    if (shape == Shape::Response && !isOptional) required.push_back(json::string(name));
    properties.emplace(name, std::move(schema));
  }
  json::object finish() {
    json::object out{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    if (isClosed(shape)) out["additionalProperties"] = false;
    return out;
  }
};

template <codec::DescribedStruct T>
[[gnu::noinline]] json::object structSchema(Shape shape) {
  Members members{shape};
  const T defaults{};
  boost::mp11::mp_for_each<codec::Members<T>>([&](auto member) {
    using Part = std::remove_cvref_t<decltype(defaults.*member.pointer)>;
    members.add(kSchemaName<codec::OwnerOf<decltype(member)>>, codec::jsonName<T>(member.name), typeSchema<Part>(shape),
                codec::IsOptional<Part>::value, defaultText(defaults.*member.pointer));
  });
  return members.finish();
}

template <typename T>
[[gnu::noinline]] void add(json::object& out) {
  static_assert(!kSchemaName<T>.empty(), "list the type in SWARM_TYPES");
  if constexpr (codec::DescribedEnum<T>) {
    out.emplace(kSchemaName<T>, enumSchema<T>());
  } else {
    out.emplace(kSchemaName<T>, structSchema<T>(Shape::Response));
    if constexpr (!kRequestName<T>.empty()) out.emplace(kRequestName<T>, structSchema<T>(Shape::Request));
  }
}

json::object errorSchema() {
  json::object text{{"type", "string"}};
  json::object field{{"type", "object"},
                     {"properties", {{"pointer", {{"type", "string"}, {"format", "json-pointer"}}}, {"detail", text}}},
                     {"required", {"pointer", "detail"}}};
  return {{"type", "object"},
          {"properties",
           {{"code", refTo("ErrorCode")},
            {"message", text},
            {"retryable", {{"type", "boolean"}, {"description", "Whether the same call may succeed later, unchanged"}}},
            {"errors", {{"type", "array"}, {"items", field}}},
            {"instance", text},
            {"upstream", {{"type", "object"}, {"properties", {{"status", {{"type", "integer"}}}, {"requestId", text}}}}}}},
          {"required", {"code", "message", "retryable"}}};
}

json::object errorCodeSchema() {
  json::array codes;
  for (ErrorCode code : errorCodes()) codes.push_back(json::string(toString(code)));
  return {{"type", "string"}, {"enum", std::move(codes)}};
}

/// The members that the codec derives.
void addDerived(json::object& schemas) {
  json::object metadata{{"type", "object"}, {"description", "The configuration's metadata"}};
  schemas["Instance"].get_object()["properties"].get_object()["metadata"] = metadata;
  schemas["Instance"].get_object()["required"].get_array().push_back("metadata");
  schemas["InstanceSelection"].get_object()["properties"].get_object()["metadata"] = std::move(metadata);
  schemas["OperationStep"].get_object()["properties"].get_object()["percent"] =
      json::object{{"type", "integer"}, {"minimum", 0}, {"maximum", 100}, {"description", "Only when bytesTotal is known"}};
}

json::object makeSchemas() {
  json::object out;
#define SWARM_ENUM(E) add<E>(out);
  SWARM_ENUMS(SWARM_ENUM)
#undef SWARM_ENUM
#define SWARM_TYPE(T, REQUEST) add<T>(out);
  SWARM_TYPES(SWARM_TYPE)
#undef SWARM_TYPE
  out["InstanceSelection"] = structSchema<Instance>(Shape::Selection);
  out["ResourceMergePatch"] = structSchema<ResourceConfig>(Shape::MergePatch);
  out["NetworkMergePatch"] = structSchema<NetworkConfig>(Shape::MergePatch);
  out["SecurityMergePatch"] = structSchema<SecurityConfig>(Shape::MergePatch);
  out["SetGitIdentity"] = structSchema<GitIdentity>(Shape::Body);
#define SWARM_BODY(T, NAME) out[NAME] = structSchema<T>(std::derived_from<T, InstanceConfig> ? Shape::Request : Shape::Body);
  SWARM_REQUESTS(SWARM_BODY)
#undef SWARM_BODY
#define SWARM_RESPONSE(T, NAME) out[NAME] = structSchema<T>(Shape::Response);
  SWARM_RESPONSES(SWARM_RESPONSE)
#undef SWARM_RESPONSE
  out["NewStorage"].get_object()["required"] = json::array{"mountPath"};
  out["ErrorCode"] = errorCodeSchema();
  out["Error"] = errorSchema();
  addDerived(out);
  return out;
}

const json::object& schemas() {
  static const json::object made = makeSchemas();
  return made;
}

}  // namespace

json::object jsonSchemas() { return schemas(); }

json::object jsonSchemaFor(std::string_view name) {
  const json::value* schema = schemas().if_contains(name);
  SWARM_CHECK(schema != nullptr);
  return schema->get_object();
}

json::object schemaRef(std::string_view name) {
  SWARM_CHECK(schemas().contains(name));
  return refTo(name);
}

}  // namespace swarm
