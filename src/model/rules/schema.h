// JSON Schemas (2020-12, as OpenAPI 3.1 uses them) of the public types, made from the same descriptions as the codec.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

namespace swarm {

/// Every schema by its name ("InstanceConfig", "Instance", "Operation", "Error" …), for OpenAPI's components.schemas; they refer to each
/// other as "#/components/schemas/NAME". Thread-safe.
boost::json::object jsonSchemas();
/// One of them. A name without a schema ends the process: names are written in code.
boost::json::object jsonSchemaFor(std::string_view name);
/// {"$ref": "#/components/schemas/NAME"}; the name is checked as above.
boost::json::object schemaRef(std::string_view name);

}  // namespace swarm
