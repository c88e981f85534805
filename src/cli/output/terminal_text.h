// Text that is not ours, as a terminal may have it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace swarm::cli {

/// A JSON string with its quotes; characters that a terminal would act on are escaped.
std::string jsonString(std::string_view text);

/// Lines of a log on their way to a terminal: colours (SGR) stay, every other control or invisible character is replaced. Takes pieces of
/// any size, and gives whole lines; a line that is longer than 64 KiB is cut into several.
class LogFilter {
 public:
  std::string feed(std::string_view piece);
  std::string finish();  ///< what has no line break behind it

 private:
  std::string pending_;
};

}  // namespace swarm::cli
