// UTF-8 as defined by Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swarm {

/// A character of a text and the number of bytes it takes there; 0 bytes: not UTF-8 (or the text is empty).
struct Utf8Character {
  char32_t code = 0;
  std::size_t bytes = 0;
};

Utf8Character firstCharacter(std::string_view text);
bool isUtf8(std::string_view text);

/// The same text with each byte that is not part of valid UTF-8 replaced by U+FFFD. For data, which keeps its control characters (what a
/// command wrote, a file's name in JSON); what is logged, stored or shown goes through printable() (base/text/untrusted_text.h).
std::string toValidUtf8(std::string_view bytes);

}  // namespace swarm
