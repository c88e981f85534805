// Authenticator: the app of a user, which knows the secret of the page.
#pragma once

#include <string>
#include <string_view>

#include "auth/second_factor/totp.h"

namespace swarm::test {

class Authenticator {
 public:
  explicit Authenticator(std::string_view base32) {
    std::string seed;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : base32) {
      bits = bits << 5 | static_cast<std::uint32_t>(std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(c));
      if ((count += 5) >= 8) seed.push_back(static_cast<char>(bits >> (count -= 8)));
    }
    seed_ = Secret(std::move(seed));
  }
  std::string codeAt(SystemTime time) const { return totp::codeOf(seed_, totp::stepAt(time)); }

 private:
  Secret seed_;
};

}  // namespace swarm::test
