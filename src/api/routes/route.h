// A route as data: the server, the OpenAPI document and the permission test all use the table that makeRouteTable() returns.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/permissions.h"
#include "controller/state/events.h"

namespace swarm::api {

class Call;
struct Reply;
struct Services;
using Handler = awaitable<Reply> (*)(Services& services, Call& call);

/// One parameter; a request with any other is refused.
struct Parameter {
  enum class Location { Path, Query, Header };
  /// Labels: "label[KEY]=VALUE" or "label.KEY=VALUE", any number of keys. EntityTags: a list, possibly in several fields.
  enum class Kind { Text, Integer, Flag, Time, Choice, Labels, EntityTags };
  Location location = Location::Query;
  std::string_view name = {};
  Kind kind = Kind::Text;
  std::string_view description = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::vector<std::string_view> choices = {};
};

/// OptionalJson: without a body, Call::body() is null. Bytes: read by the handler, of any size.
enum class BodyRule { None, Json, OptionalJson, Bytes };

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kMergePatchType = "application/merge-patch+json";

/// The body that a route takes.
struct Body {
  BodyRule rule = BodyRule::None;
  std::string_view schema = {};       ///< of JSON: a component of the OpenAPI document
  std::string_view type = kJsonType;  ///< JSON is also accepted as application/json
};

/// A successful response of a route. `schema` names a component of the OpenAPI document; empty: no body, or not JSON. Two with the same
/// status differ in their content type.
struct Response {
  int status = 200;
  std::string_view description = {};
  std::string_view schema = {};
  std::string_view contentType = kJsonType;
  std::vector<std::string_view> headers = {};  ///< beside X-Request-Id
};

/// Stream: the response is sent piece by piece. Upgrade: the connection becomes something else.
enum class RouteKind { Plain, Stream, Upgrade };

/// Counted: among the user's requests in progress, which are limited. Free: cheap, or needed to end a session whose requests use all.
enum class Budget { Counted, Free };

/// What the audit log has of a route's calls. ByMethod: Nothing for a GET, or Entry if it leads inside, and Change for all others.
/// Revocation: a change that is made also when it cannot be recorded, because it takes access away.
enum class Recorded { ByMethod, Nothing, Change, Revocation, Entry };

struct Endpoint {
  std::string_view method = {};
  std::string_view pattern = {};  ///< "/api/instances/{id}"
  Permission permission = Permission::SignedIn;
  std::string_view operationId = {};  ///< also the route's name in metrics and logs
  std::string_view tag = {};
  std::string_view summary = {};
  std::string_view description = {};
  Handler handler = nullptr;
  std::vector<Response> responses = {};
  std::vector<int> problems = {};  ///< statuses of problems that do not follow from the other members
  std::vector<Parameter> parameters = {};
  Body body = {};
  RouteKind kind = RouteKind::Plain;
  std::string_view upgrade = {};  ///< value of the header Upgrade for RouteKind::Upgrade
  Budget budget = Budget::Counted;
  Recorded recorded = Recorded::ByMethod;
};
/// Never ByMethod.
Recorded recordedOf(const Endpoint& route);

std::vector<Endpoint> makeRouteTable();

/// What an event of GET /api/events requires of the user that it reaches, with the relation to the event's owner.
Permission permissionOf(EventType type);

/// The route of a path. `route` is null when there is none for this method; then `allow` lists the methods, and is empty for an unknown
/// path.
struct Match {
  const Endpoint* route = nullptr;
  std::vector<std::string> arguments;  ///< the path's parameters, decoded, in order
  std::string allow;
};
Match findRoute(const std::vector<Endpoint>& table, std::string_view method, std::string_view path);

}  // namespace swarm::api
