// UTF-8 as Unicode 15's table 3-7 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "agent/utf8.h"

#include <cstddef>

namespace swarm::agent {
namespace {

/// Bytes of the well-formed sequence at the front of `text`; 0: there is none.
std::size_t sequenceLength(std::string_view text) {
  auto at = [&](std::size_t index) { return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U; };
  auto follows = [&](std::size_t index, unsigned low, unsigned high) { return at(index) >= low && at(index) <= high; };
  unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string toValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    auto length = sequenceLength(bytes);
    text.append(length > 0 ? bytes.substr(0, length) : std::string_view("\xef\xbf\xbd"));
    bytes.remove_prefix(length > 0 ? length : 1);
  }
  return text;
}

}  // namespace swarm::agent
