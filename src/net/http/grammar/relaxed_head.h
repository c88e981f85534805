// Leniency towards servers, as in browsers: a response head that violates the grammar but has only one interpretation is rewritten in its
// correct form. Pure; fuzzed (tests/fuzz/http_head).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarm::net {

/// The head that `bytes` (complete as defined by readHead(…, Grammar::Relaxed)) means, as input for parseResponseHead(); empty when there
/// is more than one interpretation. Mended are: lines that end with LF, folded lines, white space before a colon, equal Content-Lengths,
/// Content-Length beside chunked, repeated chunked, "identity", chunked with HTTP/1.0, and framing on a response without a body. A
/// connection whose framing was mended is closed after the response.
std::optional<std::string> mendResponseHead(std::string_view bytes);

}  // namespace swarm::net
