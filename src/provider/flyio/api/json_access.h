// Reads members of JSON responses that may be absent or have another type than expected.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::flyio {

namespace json = boost::json;

/// The member at a dotted path ("guest.cpus"); null when it is absent or JSON's null.
const json::value* member(const json::value& value, std::string_view path);
const json::value* member(const json::value&& value, std::string_view path) = delete;  ///< it would dangle
std::string stringAt(const json::value& value, std::string_view path);                 ///< empty unless it is a string
std::int64_t integerAt(const json::value& value, std::string_view path, std::int64_t otherwise = 0);
bool boolAt(const json::value& value, std::string_view path);  ///< false unless it is a boolean
const json::array& arrayAt(const json::value& value, std::string_view path);
const json::array& arrayAt(const json::value&& value, std::string_view path) = delete;
const json::object& objectAt(const json::value& value, std::string_view path);
const json::object& objectAt(const json::value&& value, std::string_view path) = delete;

/// Null for text that is not JSON.
json::value parseOrNull(std::string_view text);

}  // namespace swarm::flyio
