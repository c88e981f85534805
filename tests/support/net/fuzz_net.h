// The checks of the net fuzz targets for one input; unit tests replay the corpus through the same functions. A violated invariant ends the
// process.
#pragma once

#include <string_view>

namespace swarm::test {

/// Parses `input` as a request and as a response: views lie within it, nothing dangerous passes, and an accepted head has the same meaning
/// after it is written again.
void fuzzHttpHead(std::string_view input);
/// Decodes `input` as a chunked body, whole and byte by byte: both give the same result.
void fuzzChunkedBody(std::string_view input);

}  // namespace swarm::test
