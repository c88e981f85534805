// Log text as lines for NDJSON.
#pragma once

#include <string>
#include <string_view>

namespace swarm::api {

/// Cuts text that comes in pieces into lines, each as {"line":"…"} and a newline.
class NdjsonLines {
 public:
  /// The finished lines of `piece` and what was left over before. A line longer than 64 KiB is cut into several.
  std::string add(std::string_view piece);
  std::string finish();  ///< the last line when it has no newline

 private:
  std::string rest_;
};

}  // namespace swarm::api
