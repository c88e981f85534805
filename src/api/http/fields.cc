// Projection of instances.
#include "api/http/fields.h"

#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/rules/schema.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void copyPath(const json::object& from, json::object& to, const std::vector<std::string>& path, std::size_t depth) {
  const json::value* member = from.if_contains(path[depth]);
  if (member == nullptr) return;
  if (depth + 1 == path.size() || !member->is_object()) {
    to[path[depth]] = *member;
    return;
  }
  json::value& inner = to[path[depth]];
  if (!inner.is_object()) inner.emplace_object();
  copyPath(member->get_object(), inner.get_object(), path, depth + 1);
}

bool isField(const std::string& name) {
  static const json::object schema = jsonSchemaFor("Instance");
  return schema.at("properties").as_object().contains(name);
}

}  // namespace

json::value FieldSelection::apply(json::value whole) const {
  if (paths_.empty()) return whole;
  json::object chosen;
  for (const auto& path : paths_) copyPath(whole.get_object(), chosen, path, 0);
  return chosen;
}

FieldSelection readFields(const Call& call) {
  auto text = call.text("fields");
  if (!text) return FieldSelection({});
  std::vector<std::vector<std::string>> paths;
  std::vector<FieldError> faults;
  for (const std::string& field : split(*text, ',')) {
    paths.push_back(split(field, '.'));
    if (!isField(paths.back().front())) faults.push_back({"?fields", format("\"{}\" is not a field of a workspace", field)});
  }
  throwIfAny(std::move(faults));
  return FieldSelection(std::move(paths));
}

}  // namespace swarm::api
