#include "model/requests.h"

#include "base/diagnostics/check.h"
#include "model/rules/rule_check.h"

namespace swarm {
namespace {

namespace json = boost::json;

template <typename T>
std::vector<std::string_view> memberNames() {
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<codec::Members<T>>([&](auto member) { names.push_back(codec::jsonName<T>(member.name)); });
  return names;
}

bool hasFault(const std::vector<FieldError>& faults, std::string_view pointer) {
  return std::ranges::any_of(faults, [&](const FieldError& fault) { return fault.pointer == pointer; });
}

}  // namespace

void apply(const ResourcePatch& patch, ResourceConfig& resources) {
  // As JSON: what a patch leaves out keeps its value when the rest is read over it, so that no member has to be named here.
  std::vector<FieldError> faults;
  resources = decode<ResourceConfig>(toJson(patch), resources, "", faults, UnknownFields::Refuse);
  SWARM_CHECK(faults.empty());
}

template <typename Request>
Request readRequest(const json::value& body, std::vector<FieldError>& faults) {
  const codec::Path root{};
  codec::Sink sink{faults, UnknownFields::Refuse};
  json::value given = body;
  if (json::object* object = given.if_object()) {
    for (const std::string_view name : memberNames<Request>()) {
      const json::value* part = object->if_contains(name);
      const FieldRule* rule = findFieldRule(kSchemaName<Request>, name);
      if (part == nullptr || part->is_null()) {
        object->erase(name);
        if (rule != nullptr && rule->required) sink.add(root.member(name), "is required");
      }
    }
  }
  Request request;
  codec::read(given, request, root, sink);
  std::vector<FieldError> of_rules;
  codec::Sink rule_sink{of_rules, UnknownFields::Refuse};
  codec::checkRules(request, root, rule_sink);
  for (FieldError& fault : of_rules)
    if (!hasFault(faults, fault.pointer)) faults.push_back(std::move(fault));
  return request;
}

template <typename Request>
json::object requestBody(const Request& request) {
  json::object body = codec::write(request).as_object();
  const json::object defaults = codec::write(Request{}).as_object();
  for (const auto& [name, value] : defaults) {
    const FieldRule* rule = findFieldRule(kSchemaName<Request>, name);
    if ((rule == nullptr || !rule->required) && body.at(name) == value) body.erase(name);
  }
  return body;
}

#define SWARM_REQUEST(T, NAME)                                                    \
  template T readRequest<T>(const boost::json::value&, std::vector<FieldError>&); \
  template boost::json::object requestBody<T>(const T&);
SWARM_REQUESTS(SWARM_REQUEST)
SWARM_REQUEST(GitIdentity, "")

}  // namespace swarm
