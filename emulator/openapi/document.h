// Fly's OpenAPI document: the text that is linked into the program, the parsed tree with the documented extras added, and its paths.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator::openapi {

/// The public document of Fly, byte for byte (OpenAPI 3.0.1). Thread-safe.
std::string_view documentText();

/// documentText() with every line of extras.h applied. Parsed at the first call. Thread-safe.
const boost::json::object& document();

/// The target of "#/components/schemas/NAME" in `schema`, or `schema` itself. Also resolves an allOf of one schema: the document uses
/// {"type": "object", "allOf": [{"$ref": …}]} for a described reference, whatever type the reference has. Thread-safe.
const boost::json::object& resolve(const boost::json::object& schema);

/// One path of the document. `operations`: by lower-case method.
struct PathItem {
  std::string path;  ///< "/v1/apps/{app_name}"
  std::vector<std::string> segments;
  const boost::json::object* operations = nullptr;
};

/// The item of a path as sent, or null. A literal segment takes precedence over a parameter ("/certificates/acme" over
/// "/certificates/{hostname}"). A parameter is never empty, so that a trailing slash does not match. Thread-safe.
const PathItem* findPath(std::string_view path);

/// The operation of a method in any case, or null. Thread-safe.
const boost::json::object* findOperation(const PathItem& item, std::string_view method);

/// "GET, POST": for the message about an unknown method.
std::string methodsOf(const PathItem& item);

}  // namespace swarm::emulator::openapi
