// Tolerant access to the Engine's JSON: an absent or null member gives the default.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::engine {

const boost::json::value* member(const boost::json::value& value, std::string_view path);  ///< "State.ExitCode"
std::string stringAt(const boost::json::value& value, std::string_view path);
std::int64_t integerAt(const boost::json::value& value, std::string_view path);
bool boolAt(const boost::json::value& value, std::string_view path);
std::vector<std::string> textsAt(const boost::json::value& value, std::string_view path);     ///< the strings of an array
const boost::json::object* objectAt(const boost::json::value& value, std::string_view path);  ///< null when it is not an object
/// A member whose name may contain dots, of the object at `path`.
std::string stringIn(const boost::json::value& value, std::string_view path, std::string_view name);
std::string labelOf(const boost::json::value& thing, std::string_view name);  ///< of its member Labels

}  // namespace swarm::engine
