// What the route tables are written with: the parameters that several routes share.
#pragma once

#include "api/routes/route.h"

namespace swarm::api {

inline Parameter path(std::string_view name, std::string_view description) {
  return {.place = Parameter::Place::Path, .name = name, .description = description};
}
inline Parameter text(std::string_view name, std::string_view description, std::int64_t longest = 256) {
  return {.name = name, .description = description, .maximum = longest};
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
inline Parameter header(std::string_view name, std::string_view description, std::int64_t longest = 256) {
  return {.place = Parameter::Place::Header, .name = name, .description = description, .maximum = longest};
}

inline Parameter waitSeconds() { return integer("wait", "Seconds to wait for the end of the operation before answering", 0, 900); }
inline Parameter pageLimit() { return integer("limit", "Maximum number of items in a page; 100 when absent", 1, 1000); }
inline Parameter pageCursor() { return text("cursor", "nextCursor of the previous page", 512); }
inline Parameter instanceRef() { return path("id", "The instance's id or its unique name"); }
inline Parameter ifMatch() {
  return {.place = Parameter::Place::Header,
          .name = "If-Match",
          .kind = Parameter::Kind::EntityTags,
          .description = "ETags of the instance that the request is meant for, or *; 412 when it has another version, and nothing is done",
          .maximum = 1024};
}

/// The answer of a route that begins an operation and does not wait for its end.
inline Answer accepted() {
  return {.status = 202,
          .description = "Accepted; follow the operation with operationId",
          .schema = "StartedInstance",
          .headers = {"ETag", "Operation-Location"}};
}
/// The same with `?wait=`, at the operation's end.
inline Answer ended(std::string_view description) {
  return {.status = 200, .description = description, .schema = "StartedInstance", .headers = {"ETag"}};
}

void addInstanceRoutes(std::vector<Endpoint>& table);
void addSnapshotRoutes(std::vector<Endpoint>& table);
void addInsideRoutes(std::vector<Endpoint>& table);
void addSwarmRoutes(std::vector<Endpoint>& table);
void addSystemRoutes(std::vector<Endpoint>& table);

}  // namespace swarm::api
