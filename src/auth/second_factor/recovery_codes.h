// Recovery codes: each replaces a code of the app once, when the app is lost.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm {

inline constexpr std::size_t kRecoveryCodes = 10;

/// Of 80 random bits each: "abcd-efgh-jkmn-pqrs".
std::vector<std::string> makeRecoveryCodes();
/// What is stored of a code: SHA-256 in hexadecimal. As it was typed: capitals, hyphens and spaces do not matter.
std::string recoveryDigest(std::string_view code);

}  // namespace swarm
