// AccessToken: a secret with which a program acts for a user, within scopes and limits.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm {

/// What a token may be used for, of what its owner's role permits.
enum class AccessScope { read, write, inside, admin };
BOOST_DESCRIBE_ENUM(AccessScope, read, write, inside, admin)

/// Without the secret, which only the response to its creation contains.
struct AccessToken {
  std::string id{};
  std::string name{};
  std::string owner{};
  std::vector<AccessScope> scopes{};  ///< always with read
  std::string namePrefix{};           ///< of the instances that it covers; empty: all
  std::int64_t maxInstances = 0;      ///< of its owner, with this prefix, beyond which it creates none; 0: no limit
  SystemTime createdAt{};
  SystemTime expiresAt{};
  std::optional<SystemTime> lastUsedAt{};
  std::string parent{};  ///< the token that created it, and with which it ends; empty: a session did
};
BOOST_DESCRIBE_STRUCT(AccessToken, (), (id, name, owner, scopes, namePrefix, maxInstances, createdAt, expiresAt, lastUsedAt, parent))

}  // namespace swarm
