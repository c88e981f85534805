// What the hash of a password costs.
#pragma once

#include <cstddef>

namespace swarm {

/// Parameters of argon2id. The default takes about 0.1 s; tests whose subject is something else take less.
struct PasswordCost {
  unsigned passes = 2;
  std::size_t kibibytes = std::size_t{64} * 1024;
};

}  // namespace swarm
