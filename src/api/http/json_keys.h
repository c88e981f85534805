// Finds members that a JSON object has twice: the parser silently keeps the last one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::api {

/// The JSON pointers of members that occur more than once, at most 20. `text` must be well-formed JSON.
std::vector<std::string> duplicateKeys(std::string_view text);

}  // namespace swarm::api
