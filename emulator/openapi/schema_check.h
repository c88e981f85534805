// Validates a JSON value against one of the document's schemas.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "emulator/openapi/checker.h"

namespace swarm::emulator::openapi {

/// Closed: unknown properties and null (unless "nullable") are findings, as required for requests. Open: both are accepted, as required for
/// responses.
enum class Reading { Closed, Open };

inline constexpr std::size_t kMaxFindings = 20;

/// Appends to `findings` the violations in `value`, whose place is `pointer`. A schema without properties and additionalProperties accepts
/// any object. Thread-safe.
void checkValue(const boost::json::value& value, const boost::json::object& schema, Reading reading, const std::string& pointer,
                std::vector<Finding>& findings);

}  // namespace swarm::emulator::openapi
