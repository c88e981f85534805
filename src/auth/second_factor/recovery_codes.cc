#include "auth/second_factor/recovery_codes.h"

#include "base/id.h"

namespace swarm {
namespace {

constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz023456789";  // 32, without those that look like others
static_assert(kLetters.size() == 32);
constexpr std::size_t kLength = 16, kGroup = 4;

}  // namespace

std::vector<std::string> makeRecoveryCodes() {
  std::vector<std::string> codes(kRecoveryCodes);
  for (std::string& code : codes) {
    const std::string random = randomBytes(kLength);
    for (std::size_t i = 0; i < kLength; ++i) {
      if (i > 0 && i % kGroup == 0) code.push_back('-');
      code.push_back(kLetters[static_cast<unsigned char>(random[i]) & 31]);
    }
  }
  return codes;
}

std::string recoveryDigest(std::string_view code) {
  std::string plain;
  for (const char c : code) {
    if (c == '-' || c == ' ') continue;
    plain.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return toHex(sha256(plain));
}

}  // namespace swarm
