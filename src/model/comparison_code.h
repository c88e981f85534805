// The code that `swarm login` prints and the page of its confirmation shows, for comparison.
#pragma once

#include <string>
#include <string_view>

#include "base/id.h"

namespace swarm {

/// "3F9A-01BC". `challenge`: of the sign-in. Not a credential.
inline std::string comparisonCode(std::string_view challenge) {
  std::string code = toHex(sha256(challenge).substr(0, 4));
  for (char& c : code)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return code.insert(4, "-");
}

}  // namespace swarm
