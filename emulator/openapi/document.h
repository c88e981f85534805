// Fly's OpenAPI document: the text that is linked into the program, and the parsed tree with the documented extras added.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

namespace swarm::emulator::openapi {

/// The public document of Fly, byte for byte (OpenAPI 3.0.1). Thread-safe.
std::string_view documentText();

/// documentText() with every line of extras.h applied. Parsed at the first call. Thread-safe.
const boost::json::object& document();

/// The target of "#/components/schemas/NAME" in `schema`, or `schema` itself. Also resolves an allOf of one schema: the document uses
/// {"type": "object", "allOf": [{"$ref": …}]} for a described reference, whatever type the reference has. Thread-safe.
const boost::json::object& resolve(const boost::json::object& schema);

}  // namespace swarm::emulator::openapi
