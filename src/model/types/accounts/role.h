// Role: what a user may do (docs/access.md; the permissions of each are in auth/permissions.cc).
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// viewer: of earlier versions, and no longer assigned. In JSON and in rows, operator_ is "operator".
enum class Role { viewer, user, auditor, operator_, admin };
BOOST_DESCRIBE_ENUM(Role, viewer, user, auditor, operator_, admin)

}  // namespace swarm
