// The one place that compiles fmt's formatting engine (Debian ships no static libfmt, and the agent is a static binary).
#define FMT_HEADER_ONLY 1
#include "base/text/format.h"

#include <fmt/format.h>

namespace swarm {

std::string formatText(fmt::string_view text, fmt::format_args args) { return fmt::vformat(text, args); }

}  // namespace swarm
