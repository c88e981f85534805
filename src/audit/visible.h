// What of a request the audit log shows: names and values that are listed as harmless. All else is "***", so that a new field is hidden
// until it is listed.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace swarm {

/// Whether the values of this member of a request are shown.
bool isVisible(std::string_view member);
/// `body` with "***" in place of the values of members that are not listed; of an object, the names of its members remain. Texts are
/// printable and cut, and members beyond a limit are left out. Empty when `body` is not an object.
boost::json::object visibleParts(const boost::json::value& body);

}  // namespace swarm
