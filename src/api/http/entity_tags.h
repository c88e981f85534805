// ETags of instances, and the lists of them in If-Match (RFC 9110).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/controller.h"

namespace swarm::api {

/// "\"v3\""
std::string entityTag(const Instance& instance);

/// The versions that a list of ETags names. Weak tags and tags of other formats match none. Nothing for a text that is not such a list.
std::optional<VersionCondition> parseEntityTags(std::string_view list);

}  // namespace swarm::api
