// Log text as lines for NDJSON.
#pragma once

#include <string>
#include <string_view>

namespace swarm::api {

/// Splits text that arrives in pieces into lines, each as {"line":"…"} and a newline.
class NdjsonLines {
 public:
  /// The complete lines, including the rest of earlier pieces. A line longer than 64 KiB is split.
  std::string add(std::string_view piece);
  std::string finish();  ///< the last line when it has no newline

 private:
  std::string rest_;
};

}  // namespace swarm::api
