// Makes untrusted text safe for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

namespace swarm::cli {

/// A JSON string with its quotes; characters that a terminal would act on are escaped.
std::string jsonString(std::string_view text);

/// Filters the lines of a log for a terminal: colours (SGR) are kept, every other control or invisible character is replaced. Takes pieces
/// of any size and returns whole lines; a line longer than 64 KiB is split.
class LogFilter {
 public:
  std::string feed(std::string_view piece);
  std::string finish();  ///< the rest without a line break

 private:
  std::string pending_;
};

}  // namespace swarm::cli
