// UpdatePlan: what a change of the configuration would do.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace swarm {

/// What a replacement of an instance's container or Machine drops: what was installed or written outside of its volumes.
struct DroppedFolder {
  std::string path;
  std::int64_t files = 0;  ///< changed, added or removed in it
};
BOOST_DESCRIBE_STRUCT(DroppedFolder, (), (path, files))
struct ReplacementLoss {
  std::int64_t files = 0;
  bool more = false;                   ///< the count stopped at its limit
  std::vector<DroppedFolder> folders;  ///< those with most first; not all
};
BOOST_DESCRIBE_STRUCT(ReplacementLoss, (), (files, more, folders))

/// What a change of the configuration needs at the provider. restart: another container or Machine takes the place of the present one.
enum class UpdateEffect { none, live, restart };
BOOST_DESCRIBE_ENUM(UpdateEffect, none, live, restart)

/// What a change of the configuration would do.
struct UpdatePlan {
  UpdateEffect effect = UpdateEffect::none;
  ReplacementLoss drops;  ///< by a restart
};
BOOST_DESCRIBE_STRUCT(UpdatePlan, (), (effect, drops))

}  // namespace swarm
