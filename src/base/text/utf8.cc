// The only UTF-8 decoder.
#include "base/text/utf8.h"

namespace swarm {

Utf8Character firstCharacter(std::string_view text) {
  if (text.empty()) return {};
  auto byteAt = [&](std::size_t index) { return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U; };
  const unsigned first = byteAt(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xc2 || first > 0xf4) return {};
  const std::size_t bytes = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;   // no overlong forms
  const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;  // no surrogates, nothing above U+10FFFF
  if (byteAt(1) < lowest || byteAt(1) > highest) return {};
  char32_t code = first & (0x7fU >> bytes);
  for (std::size_t index = 1; index < bytes; ++index) {
    if ((byteAt(index) & 0xc0) != 0x80) return {};
    code = code << 6 | (byteAt(index) & 0x3f);
  }
  return {code, bytes};
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = firstCharacter(text).bytes;
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string toValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = firstCharacter(bytes).bytes;
    text += length > 0 ? bytes.substr(0, length) : "\xef\xbf\xbd";
    bytes.remove_prefix(length > 0 ? length : 1);
  }
  return text;
}

}  // namespace swarm
