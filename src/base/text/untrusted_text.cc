// Which characters are safe to display, and truncation that never splits one.
#include "base/text/untrusted_text.h"

#include <algorithm>
#include <iterator>

#include "base/text/utf8.h"

namespace swarm {
namespace {

constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct CodeRange {
  char32_t first;
  char32_t last;
};

/// Sorted. The control characters, and those of Unicode's format characters (Cf) and invisible characters that ordinary text does not need.
constexpr CodeRange kNotPrintable[] = {
    {0x0000, 0x001f},    // C0
    {0x007f, 0x009f},    // DEL, C1
    {0x00ad, 0x00ad},    // soft hyphen
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian selectors and separators
    {0x200b, 0x200f},    // zero-width space and joiners, direction marks
    {0x2028, 0x202e},    // line and paragraph separators, bidi embeddings and overrides
    {0x2060, 0x206f},    // word joiner, invisible operators, bidi isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // half-width Hangul filler
    {0xfff0, 0xfffb},    // unassigned, interlinear annotations
    {0xfffe, 0xffff},    // noncharacters
    {0x1d173, 0x1d17a},  // musical format controls
    {0xe0000, 0xe0fff},  // tags and further selectors, which carry hidden text
};

bool isLineBreak(char32_t code) { return (code >= '\t' && code <= '\r') || code == 0x85 || code == 0x2028 || code == 0x2029; }

/// The replacement for the first character of `text`, which takes `length` bytes there (0: not UTF-8).
class Shown {
 public:
  Shown(std::string_view text, Utf8Character character, LineBreaks breaks) {
    const char32_t code = character.code;
    const bool kept = breaks == LineBreaks::Keep && (code == '\n' || code == '\t');
    if (character.bytes == 0) {
      piece_ = kReplacement;
    } else if (kept || isPrintable(code)) {
      piece_ = text.substr(0, character.bytes);
    } else if (isLineBreak(code)) {
      piece_ = " ";
    } else if (code < 0x20 || code == 0x7f) {  // U+2400 … U+2421 are their symbols
      picture_[2] = static_cast<char>(0x80 | (code == 0x7f ? 0x21 : code));
      piece_ = {picture_, 3};
    } else {
      piece_ = kReplacement;
    }
  }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;
  std::string_view piece() const { return piece_; }

 private:
  char picture_[3] = {'\xe2', '\x90', '\x80'};
  std::string_view piece_;
};

}  // namespace

bool isPrintable(char32_t code) {
  const auto* range = std::ranges::lower_bound(kNotPrintable, code, {}, &CodeRange::last);
  return range == std::end(kNotPrintable) || code < range->first;
}

std::string printable(std::string_view text, std::size_t max_bytes, LineBreaks breaks) {
  std::string out;
  std::size_t cut = 0;  // where an ellipsis still fits
  while (!text.empty()) {
    const Utf8Character character = firstCharacter(text);
    const Shown shown(text, character, breaks);
    if (out.size() + shown.piece().size() > max_bytes) {
      out.resize(cut);
      if (cut + kEllipsis.size() <= max_bytes) out += kEllipsis;
      return out;
    }
    out += shown.piece();
    if (out.size() + kEllipsis.size() <= max_bytes) cut = out.size();
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return out;
}

}  // namespace swarm
