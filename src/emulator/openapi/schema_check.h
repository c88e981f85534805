// A JSON value against one of the document's schemas.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "emulator/openapi/checker.h"

namespace swarm::emulator::openapi {

/// Closed: unknown properties and null (unless "nullable") are findings, as requests want it. Open: both pass, as answers need it.
enum class Reading { Closed, Open };

inline constexpr std::size_t kMaxFindings = 20;

/// Appends to `findings` what is wrong with `value`, whose place is `pointer`. A schema without properties and additionalProperties takes
/// any object. Thread-safe.
void checkValue(const boost::json::value& value, const boost::json::object& schema, Reading reading, const std::string& pointer,
                std::vector<Finding>& findings);

}  // namespace swarm::emulator::openapi
