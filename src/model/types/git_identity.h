// GitIdentity: the author of a user's commits.
#pragma once

#include <boost/describe.hpp>
#include <string>

namespace swarm {

/// The author of a user's commits. Both members are set, or neither.
struct GitIdentity {
  std::string name{};
  std::string email{};
  bool operator==(const GitIdentity&) const = default;
};
BOOST_DESCRIBE_STRUCT(GitIdentity, (), (name, email))

}  // namespace swarm
