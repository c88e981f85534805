// Paths with dots, one member at a time.
#include "engine/format/json_access.h"

namespace swarm::engine {

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

std::int64_t integerAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  if (!found) return 0;
  if (found->is_int64()) return found->as_int64();
  if (found->is_uint64()) return static_cast<std::int64_t>(found->as_uint64());
  if (found->is_double()) return static_cast<std::int64_t>(found->as_double());
  return 0;
}

bool boolAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found && found->is_bool() && found->as_bool();
}

std::vector<std::string> textsAt(const json::value& value, std::string_view path) {
  std::vector<std::string> texts;
  const json::value* list = member(value, path);
  if (!list || !list->is_array()) return texts;
  for (const json::value& text : list->as_array()) {
    if (text.is_string()) texts.emplace_back(text.as_string());
  }
  return texts;
}

const json::object* objectAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found ? found->if_object() : nullptr;
}

std::string stringIn(const json::value& value, std::string_view path, std::string_view name) {
  const json::object* object = objectAt(value, path);
  const json::value* found = object ? object->if_contains(name) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string labelOf(const json::value& thing, std::string_view name) { return stringIn(thing, "Labels", name); }

}  // namespace swarm::engine
