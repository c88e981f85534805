// Text for JSON from bytes that may be anything.
#pragma once

#include <string>
#include <string_view>

namespace swarm::agent {

/// The same text with each byte that is no part of valid UTF-8 replaced by U+FFFD.
std::string toValidUtf8(std::string_view bytes);

}  // namespace swarm::agent
