#include "audit/visible.h"

#include <algorithm>

#include "base/text/untrusted_text.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// Members of requests, and parameters, by name. Those of env, labels, metadata, commands and provider configurations are not listed.
constexpr std::string_view kVisible[] = {
    "access",         "back",        "bandwidthLimit", "days",         "disabled",  "dryRun",     "emptyVolumes", "expiresAt",
    "exposedPorts",   "force",       "group",          "handOverTo",   "image",     "instance",   "keepHours",    "keepSource",
    "kind",           "level",       "limits",         "maxInstances", "mountPath", "name",       "namePrefix",   "network",
    "networkDriver",  "networkName", "owner",          "permission",   "port",      "provider",   "refreshImage", "region",
    "regions",        "resources",   "role",           "scope",        "scopes",    "session",    "snapshot",     "storage",
    "targetProvider", "template",    "timeout",        "ttl",          "user",      "volumeName", "volumes",      "wait"};
constexpr std::string_view kHidden = "***";
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxText = 128;
constexpr std::size_t kMaxValues = 64;
constexpr int kMaxDepth = 5;

/// Copies within limits.
class Copy {
 public:
  /// Of a listed member; texts inside it are shown if their members are listed, too.
  json::value shown(const json::value& value, int depth = 0) {
    if (depth > kMaxDepth) return json::string("…");
    if (value.is_string()) return json::string(printable(value.get_string(), kMaxText));
    if (const json::object* object = value.if_object())
      return eachMember(*object, [&](std::string_view name, const json::value& member) {
        return member.is_object() || member.is_number() || member.is_bool() || isVisible(name) ? shown(member, depth + 1) : hidden(member);
      });
    if (const json::array* array = value.if_array()) {
      json::array out;
      for (const json::value& element : *array) {
        if (!take()) break;
        out.push_back(shown(element, depth + 1));
      }
      return out;
    }
    return value;
  }
  /// Only which members there are.
  json::value hidden(const json::value& value) {
    if (value.is_null()) return nullptr;
    if (const json::object* object = value.if_object())
      return eachMember(*object, [](std::string_view, const json::value& member) -> json::value {
        if (member.is_null()) return nullptr;
        return json::string(kHidden);
      });
    return json::string(kHidden);
  }
  template <typename Make>
  json::object eachMember(const json::object& object, Make make) {
    json::object out;
    for (const auto& [name, member] : object) {
      if (!take()) break;
      out[printable(name, kMaxName)] = make(name, member);
    }
    return out;
  }

 private:
  bool take() { return ++taken_ <= kMaxValues; }
  std::size_t taken_ = 0;
};

}  // namespace

bool isVisible(std::string_view member) { return std::ranges::find(kVisible, member) != std::end(kVisible); }

json::object visibleParts(const json::value& body) {
  const json::object* object = body.if_object();
  if (object == nullptr) return {};
  Copy copy;
  return copy.eachMember(*object, [&](std::string_view name, const json::value& member) {
    return isVisible(name) ? copy.shown(member) : copy.hidden(member);
  });
}

}  // namespace swarm
