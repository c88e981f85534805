// ShareAccess: what another user may do with an instance that is shared with them.
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// viewer: sees the instance, its state and its log. editor: enters it, too.
enum class ShareAccess { viewer, editor };
BOOST_DESCRIBE_ENUM(ShareAccess, viewer, editor)

}  // namespace swarm
