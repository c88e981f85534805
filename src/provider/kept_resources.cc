#include "provider/kept_resources.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "model/codec/codec.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// Where earlier versions had these members: {"cores","size","persistent"} on Docker, {"min","pids","size","persistent"} on Fly.
struct FormerMember {
  std::string_view name;
  std::string_view part;  ///< that it is in now
};
constexpr FormerMember kFormerMembers[] = {{"cores", "cpu"}, {"min", "memory"}, {"size", "storage"}, {"persistent", "storage"}};

}  // namespace

std::string keptText(const ResourceConfig& resources) { return json::serialize(toJson(resources)); }

ResourceConfig readKeptResources(std::string_view text) {
  boost::system::error_code error;
  const json::value kept = json::parse(text, error);
  if (error || !kept.is_object()) return {};
  json::object parts = kept.get_object();
  for (const auto& [name, part] : kFormerMembers) {
    const json::value* value = kept.get_object().if_contains(name);
    if (!value) continue;
    if (!parts[part].is_object()) parts[part].emplace_object();
    parts[part].get_object()[name] = *value;
  }
  std::vector<FieldError> faults;  // of a value that another program wrote: it is ignored
  return decode<ResourceConfig>(parts, {}, "", faults, UnknownFields::Ignore);
}

}  // namespace swarm
