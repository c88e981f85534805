// Hashes of passwords that take no time, for tests of something else.
#pragma once

#include "auth/password_cost.h"

namespace swarm::test {

inline constexpr PasswordCost kLowCost{.passes = 1, .kibibytes = 8};

}  // namespace swarm::test
