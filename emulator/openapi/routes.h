// Finds the operation of the document for a method and path.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator::openapi {

/// One path of the document. `item` holds the operations by lower-case method.
struct Route {
  std::string path;  ///< "/v1/apps/{app_name}"
  std::vector<std::string> segments;
  const boost::json::object* item = nullptr;
};

/// The route of a path as sent, or null. A literal segment takes precedence over a parameter ("/certificates/acme" over
/// "/certificates/{hostname}"). A parameter is never empty, so that a trailing slash does not match. Thread-safe.
const Route* findRoute(std::string_view path);

/// The operation of a method in any case, or null. Thread-safe.
const boost::json::object* findOperation(const Route& route, std::string_view method);

/// "GET, POST": for the message about an unknown method.
std::string methodsOf(const Route& route);

}  // namespace swarm::emulator::openapi
