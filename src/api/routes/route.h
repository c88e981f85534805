// A route as data: the server, the OpenAPI document and the permission test all read the one table that makeRouteTable() gives.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"

namespace swarm::api {

class Call;
struct Reply;
struct Services;
using Handler = awaitable<Reply> (*)(Services& services, Call& call);

/// One parameter; everything that a request brings beyond the listed ones is refused.
struct Parameter {
  enum class Place { Path, Query, Header };
  /// Labels: "label[KEY]=VALUE" or "label.KEY=VALUE", any number of keys. EntityTags: a list, which may be in several fields.
  enum class Kind { Text, Integer, Flag, Time, Choice, Labels, EntityTags };
  Place place = Place::Query;
  std::string_view name = {};
  Kind kind = Kind::Text;
  std::string_view description = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::vector<std::string_view> choices = {};
};

/// OptionalJson: without a body, Call::body() is null. Bytes: the handler reads it, of whatever size.
enum class BodyRule { None, Json, OptionalJson, Bytes };

/// One way in which a route answers. `schema` names a component of the OpenAPI document; empty: no body, or not JSON. Two of one status
/// differ in their content type.
struct Answer {
  int status = 200;
  std::string_view description = {};
  std::string_view schema = {};
  std::string_view contentType = "application/json";
  std::vector<std::string_view> headers = {};  ///< beside X-Request-Id
};

/// What a route takes over: Stream answers piece by piece, Upgrade turns the connection into something else.
enum class RouteKind { Plain, Stream, Upgrade };

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kMergePatchType = "application/merge-patch+json";

struct Endpoint {
  std::string_view method = {};
  std::string_view pattern = {};  ///< "/api/instances/{id}"
  Permission permission = Permission::SignedIn;
  std::string_view operationId = {};  ///< also the route's name in metrics and logs
  std::string_view tag = {};
  std::string_view summary = {};
  std::string_view description = {};
  Handler handler = nullptr;
  std::vector<Answer> answers = {};
  std::vector<int> problems = {};  ///< statuses of problems that do not follow from what the route takes
  std::vector<Parameter> parameters = {};
  BodyRule body = BodyRule::None;
  std::string_view bodySchema = {};       ///< of JSON
  std::string_view bodyType = kJsonType;  ///< JSON is taken as application/json, too
  RouteKind kind = RouteKind::Plain;
  std::string_view upgrade = {};  ///< Upgrade's value for RouteKind::Upgrade
};

std::vector<Endpoint> makeRouteTable();

/// What a path leads to. `route` is null when there is none for this method; then `allow` lists the methods, empty for an unknown path.
struct Match {
  const Endpoint* route = nullptr;
  std::vector<std::string> arguments;  ///< the path's parameters, decoded, in order
  std::string allow;
};
Match findRoute(const std::vector<Endpoint>& table, std::string_view method, std::string_view path);

}  // namespace swarm::api
