// Untrusted text (from a workspace, an agent, an Engine, Fly, an archive, a browser), made safe to store, log and display.
#pragma once

#include <string>
#include <string_view>

namespace swarm {

/// Whether a terminal, a log and a page display `code` as itself: not a control character (C0, DEL, C1), not one that changes the direction
/// or order of the text around it, not an invisible one.
bool isPrintable(char32_t code);

enum class LineBreaks {
  Replace,  ///< one line: line breaks and tabs become blanks
  Keep,     ///< newlines and tabs stay, for text that is shown as lines
};

inline constexpr std::size_t kMaxUntrustedText = 1024;

/// `text` in at most `max_bytes` bytes of UTF-8, with "…" at its end when it was truncated. Unprintable characters are replaced by visible
/// ones: C0 and DEL by their symbols (␛), all others and bytes that are not UTF-8 by U+FFFD. Idempotent. The cost is bounded by
/// `max_bytes`, however long `text` is.
std::string printable(std::string_view text, std::size_t max_bytes = kMaxUntrustedText, LineBreaks breaks = LineBreaks::Replace);

}  // namespace swarm
