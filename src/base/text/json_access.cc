// Lookup by dotted paths, one member at a time.
#include "base/text/json_access.h"

#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace swarm {

namespace json = boost::json;

const json::value* member(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  while (!path.empty()) {
    auto dot = path.find('.');
    std::string_view name = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const json::object* object = at->if_object();
    at = object ? object->if_contains(name) : nullptr;
    if (!at) return nullptr;
  }
  return at->is_null() ? nullptr : at;
}

std::string stringAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t integerAt(const json::value& value, std::string_view path, std::int64_t otherwise) {
  const json::value* found = member(value, path);
  if (!found || !found->is_number()) return otherwise;
  boost::system::error_code inexact;
  std::int64_t number = found->to_number<std::int64_t>(inexact);
  if (!inexact) return number;
  const double rough = found->is_double() ? found->as_double() : std::numeric_limits<double>::infinity();
  return std::abs(rough) < 9.2e18 ? static_cast<std::int64_t>(rough) : otherwise;  // no number of 64 bits: as if it were not there
}

bool boolAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found && found->is_bool() && found->as_bool();
}

const json::array& arrayAt(const json::value& value, std::string_view path) {
  static const json::array kNone;
  const json::value* found = member(value, path);
  return found && found->is_array() ? found->as_array() : kNone;
}

const json::object* objectAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found ? found->if_object() : nullptr;
}

std::vector<std::string> textsAt(const json::value& value, std::string_view path) {
  std::vector<std::string> texts;
  for (const json::value& text : arrayAt(value, path)) {
    if (text.is_string()) texts.emplace_back(text.as_string());
  }
  return texts;
}

SystemTime timeAt(const json::value& value, std::string_view path) {
  const std::string text = stringAt(value, path);
  if (text.empty() || text.starts_with("0001-")) return {};
  try {
    return parseTime(text);
  } catch (const Error&) {
    return {};
  }
}

std::string stringIn(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string stringIn(const json::value& value, std::string_view path, std::string_view name) {
  const json::object* object = objectAt(value, path);
  return object ? stringIn(*object, name) : std::string();
}

json::value parseOrNull(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) return nullptr;
  return value;
}

}  // namespace swarm
