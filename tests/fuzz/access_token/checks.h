// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string>
#include <string_view>

#include "auth/session/access_tokens.h"
#include "base/diagnostics/check.h"
#include "base/id.h"

namespace swarm {

/// The input as the secret of a token, and as what precedes a checksum that is right.
inline void fuzzAccessToken(std::string_view input) {
  constexpr std::string_view prefix = "swarm_pat_";
  constexpr std::size_t digits = 40;
  const auto isWellFormed = [&](std::string_view text) { return text.size() == prefix.size() + digits && text.starts_with(prefix); };
  const auto checksumOf = [](std::string_view text) { return toHex(sha256(text)).substr(0, 8); };

  const std::string_view begin = input.substr(0, input.size() - std::min<std::size_t>(input.size(), 8));
  const bool is_right = isWellFormed(begin) && input.ends_with(checksumOf(begin));
  SWARM_CHECK(isAccessTokenSecret(input) == is_right);
  SWARM_CHECK(isAccessTokenSecret(std::string(input) + checksumOf(input)) == isWellFormed(input));
}

}  // namespace swarm
