// UserKind: whether a person or a program is behind an account.
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// A service has no password, invitation or session: it acts with access tokens alone.
enum class UserKind { person, service };
BOOST_DESCRIBE_ENUM(UserKind, person, service)

}  // namespace swarm
