// What the net fuzz targets check of one input; unit tests replay the corpus through the same functions. A broken invariant ends the
// process.
#pragma once

#include <string_view>

namespace swarm::test {

/// Parses `input` as request and as answer: views lie within it, nothing dangerous passes, and what passed means the same when written
/// anew.
void fuzzHttpHead(std::string_view input);
/// Decodes `input` as chunked body, whole and byte by byte: both give the same.
void fuzzChunkedBody(std::string_view input);

}  // namespace swarm::test
