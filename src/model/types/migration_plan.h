// MigrationPlan: what a move would do.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "model/types/provider_type.h"

namespace swarm {

/// What a move would do, as far as can be said before it begins. Sizes in bytes, times in seconds (0: not known).
struct MigrationEnd {
  ProviderType provider = ProviderType::docker;
  std::string region;
};
BOOST_DESCRIBE_STRUCT(MigrationEnd, (), (provider, region))
struct MigrationChange {
  std::string what;  ///< "memory", "image", "published ports"
  std::string from;
  std::string to;
};
BOOST_DESCRIBE_STRUCT(MigrationChange, (), (what, from, to))
struct MigrationSkip {
  std::string path;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(MigrationSkip, (), (path, reason))
struct MigrationPlan {
  MigrationEnd from;
  MigrationEnd to;
  bool fits = true;
  std::vector<std::string> problems;  ///< why it does not fit; a move would fail
  std::vector<MigrationChange> changes;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t expectedSeconds = 0;
  std::int64_t expectedPauseSeconds = 0;
  std::vector<std::string> costNotes;
  bool usesKeptSource = false;  ///< only what differs from the kept place travels
  std::vector<MigrationSkip> skipped;
  std::int64_t skippedCount = 0;
};
BOOST_DESCRIBE_STRUCT(MigrationPlan, (),
                      (from, to, fits, problems, changes, files, bytes, expectedSeconds, expectedPauseSeconds, costNotes, usesKeptSource,
                       skipped, skippedCount))

}  // namespace swarm
