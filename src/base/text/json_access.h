// Reads JSON of other programs: a member that is absent, null or of another type than expected gives the default.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace swarm {

/// The member at a dotted path ("State.ExitCode"); null when it is absent or JSON's null.
const boost::json::value* member(const boost::json::value& value, std::string_view path);
const boost::json::value* member(const boost::json::value&& value, std::string_view path) = delete;  ///< it would dangle
std::string stringAt(const boost::json::value& value, std::string_view path);
std::string stringAt(const boost::json::object& object, std::string_view path) = delete;  ///< it would copy the object: stringIn()
std::int64_t integerAt(const boost::json::value& value, std::string_view path,
                       std::int64_t otherwise = 0);  ///< of any number of 64 bits, whole or not
bool boolAt(const boost::json::value& value, std::string_view path);
const boost::json::array& arrayAt(const boost::json::value& value, std::string_view path);  ///< empty unless it is an array
const boost::json::array& arrayAt(const boost::json::value&& value, std::string_view path) = delete;
const boost::json::object* objectAt(const boost::json::value& value, std::string_view path);  ///< null unless it is an object
const boost::json::object* objectAt(const boost::json::value&& value, std::string_view path) = delete;
std::vector<std::string> textsAt(const boost::json::value& value, std::string_view path);  ///< the strings of an array
/// The epoch for an absent or unreadable time, and for the zero time of programs in Go.
SystemTime timeAt(const boost::json::value& value, std::string_view path);
/// The member of a name, which may contain dots.
std::string stringIn(const boost::json::object& object, std::string_view name);
/// The same, of the object at `path`.
std::string stringIn(const boost::json::value& value, std::string_view path, std::string_view name);

/// Null for text that is not JSON.
boost::json::value parseOrNull(std::string_view text);

}  // namespace swarm
