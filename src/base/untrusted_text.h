// Text that is not ours (from a workspace, an agent, an Engine, Fly, an archive, a browser), made fit to be stored, logged and shown.
#pragma once

#include <string>
#include <string_view>

namespace swarm {

/// Whether a terminal, a log and a page show `code` as itself: not a control character (C0, DEL, C1), not one that changes the direction or
/// the order of what stands beside it, not an invisible one.
bool isPrintable(char32_t code);

enum class LineBreaks {
  Replace,  ///< one line: line breaks and tabs become blanks
  Keep,     ///< newlines and tabs stay, for text that is shown as lines
};

inline constexpr std::size_t kMaxUntrustedText = 1024;

/// `text` in at most `max_bytes` bytes of UTF-8, "…" at its end when something was cut. What is not printable is replaced by something that
/// is seen: C0 and DEL by their pictures (␛), everything else and bytes that are not UTF-8 by U+FFFD. Applied again it changes nothing. It
/// costs no more than `max_bytes` does, however long `text` is.
std::string printable(std::string_view text, std::size_t max_bytes = kMaxUntrustedText, LineBreaks breaks = LineBreaks::Replace);

}  // namespace swarm
