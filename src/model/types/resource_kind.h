// ResourceKind: what an instance consists of at its provider.
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// The names are those of stored rows. `host`: the Docker Engine that an instance was created on; `reader`: the app at Fly that contains a
/// reader of a snapshot; `unknown`: of another version.
enum class ResourceKind { unknown, container, network, volume, host, app, machine, reader };
BOOST_DESCRIBE_ENUM(ResourceKind, container, network, volume, host, app, machine, reader)

}  // namespace swarm
