// Finds members that a JSON object has twice: the parser keeps the last one in silence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::api {

/// The JSON pointers of members that are there more than once, at most 20. `text` must be well-formed JSON.
std::vector<std::string> duplicateKeys(std::string_view text);

}  // namespace swarm::api
