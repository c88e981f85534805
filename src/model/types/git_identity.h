// GitIdentity: the author of a user's commits.
#pragma once

#include <boost/describe.hpp>
#include <string>

namespace swarm {

/// Who a person's commits are by. Either both are set or none.
struct GitIdentity {
  std::string name{};
  std::string email{};
  bool operator==(const GitIdentity&) const = default;
};
BOOST_DESCRIBE_STRUCT(GitIdentity, (), (name, email))

}  // namespace swarm
