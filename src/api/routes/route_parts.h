// The vocabulary of the route tables: parameters, bodies and responses that several routes share.
#pragma once

#include <algorithm>
#include <string>

#include "api/routes/route.h"
#include "model/codec/codec.h"
#include "model/codec/type_names.h"
#include "model/queries.h"

namespace swarm::api {

/// A row of a route table; `more` has what `.tag` and `.summary` start.
inline Endpoint at(std::string_view method, std::string_view pattern, Permission permission, std::string_view operation_id, Handler handler,
                   Endpoint more) {
  more.method = method;
  more.pattern = pattern;
  more.permission = permission;
  more.operationId = operation_id;
  more.handler = handler;
  return more;
}

inline Parameter path(std::string_view name, std::string_view description) {
  return {.location = Parameter::Location::Path, .name = name, .description = description};
}
inline Parameter text(std::string_view name, std::string_view description, std::int64_t max_length = 256) {
  return {.name = name, .description = description, .maximum = max_length};
}
inline Parameter integer(std::string_view name, std::string_view description, std::int64_t minimum, std::int64_t maximum) {
  return {.name = name, .kind = Parameter::Kind::Integer, .description = description, .minimum = minimum, .maximum = maximum};
}
inline Parameter flag(std::string_view name, std::string_view description) {
  return {.name = name, .kind = Parameter::Kind::Flag, .description = description};
}
inline Parameter choice(std::string_view name, std::string_view description, std::vector<std::string_view> choices) {
  return {.name = name, .kind = Parameter::Kind::Choice, .description = description, .choices = std::move(choices)};
}
/// One of the values of an enumeration.
template <typename Enum>
Parameter choice(std::string_view name, std::string_view description) {
  static const std::string names = enumNames<Enum>();  // "a, b, c"
  std::vector<std::string_view> choices;
  for (std::string_view rest = names; !rest.empty(); rest.remove_prefix(std::min(rest.size(), choices.back().size() + 2)))
    choices.push_back(rest.substr(0, rest.find(',')));
  return choice(name, description, std::move(choices));
}
inline Parameter header(std::string_view name, std::string_view description, std::int64_t max_length = 256) {
  return {.location = Parameter::Location::Header, .name = name, .description = description, .maximum = max_length};
}

inline Parameter waitSeconds() { return integer("wait", "Seconds to wait for the end of the operation before the response", 0, 900); }
inline Parameter instanceRef() { return path("id", "The instance's id or its unique name"); }
inline Parameter ifMatch() {
  return {.location = Parameter::Location::Header,
          .name = "If-Match",
          .kind = Parameter::Kind::EntityTags,
          .description = "ETags of the instance that the request is meant for, or *; with another version, nothing is done: 412",
          .maximum = 1024};
}

/// The parameters of a query that model/queries.h describes, and `more`.
template <typename Query>
std::vector<Parameter> listParameters(std::vector<Parameter> more = {}) {
  std::vector<Parameter> parameters;
  for (QueryParameter& one : queryParameters<Query>()) {
    // The kinds that both have, in the order of QueryParameter::Kind.
    constexpr Parameter::Kind kKinds[] = {Parameter::Kind::Text, Parameter::Kind::Integer, Parameter::Kind::Choice,
                                          Parameter::Kind::Labels};
    parameters.push_back({.name = one.name,
                          .kind = kKinds[static_cast<std::size_t>(one.kind)],
                          .description = one.description,
                          .minimum = one.minimum,
                          .maximum = one.maximum,
                          .choices = std::move(one.choices)});
  }
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

/// A body that model/requests.h describes.
template <typename Request>
Body jsonBody() {
  return {BodyRule::Json, kSchemaName<Request>};
}
inline Body jsonBody(std::string_view schema) { return {BodyRule::Json, schema}; }
template <typename Request>
Body optionalJsonBody() {
  return {BodyRule::OptionalJson, kSchemaName<Request>};
}
inline Body optionalJsonBody(std::string_view schema) { return {BodyRule::OptionalJson, schema}; }

/// The schema of {"items": […]}, and "nextCursor" where the route takes a cursor.
template <typename Item>
std::string_view listOf() {
  static const std::string name = std::string(kSchemaName<Item>) + "List";
  return name;
}

inline Response ok(std::string_view description, std::string_view schema, std::vector<std::string_view> headers = {}) {
  return {.status = 200, .description = description, .schema = schema, .headers = std::move(headers)};
}
template <typename T>
Response ok(std::string_view description) {
  return ok(description, kSchemaName<T>);
}
template <typename T>
Response created(std::string_view description) {
  return {.status = 201, .description = description, .schema = kSchemaName<T>};
}
inline Response noContent(std::string_view description) { return {.status = 204, .description = description}; }
/// An operation was started, and is not waited for.
inline Response accepted(std::string_view schema = "StartedInstance",
                         std::vector<std::string_view> headers = {"ETag", "Operation-Location"}) {
  return {.status = 202, .description = "Accepted; follow the operation with operationId", .schema = schema, .headers = std::move(headers)};
}
/// The operation has ended within `?wait=`.
inline Response ended(std::string_view description) { return ok(description, "StartedInstance", {"ETag"}); }

}  // namespace swarm::api
