// What browsers forgive a server: an answer's head that breaks the grammar and can be read in one way only is written anew, as it should
// have been. Pure; fuzzed (tests/fuzz/http_head).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarm::net {

/// The head that `bytes` (a complete one by readHead(…, Grammar::Relaxed)) means, for parseResponseHead() to judge; nothing when there is
/// more than one reading. Mended are: lines that end with LF, folded lines, white space before a colon, equal Content-Lengths,
/// Content-Length beside chunked, chunked said twice, "identity", chunked with HTTP/1.0, and framing on an answer that has no body. A
/// connection whose framing was mended is closed behind the answer.
std::optional<std::string> mendResponseHead(std::string_view bytes);

}  // namespace swarm::net
