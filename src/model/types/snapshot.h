// Snapshot: files of an instance as they were at a moment.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/types/ids.h"
#include "model/types/provider_type.h"

namespace swarm {

/// The files of an instance as they were at a moment, kept at its provider.
struct Snapshot {
  std::string id;
  std::string name;  ///< unique among those of its instance
  InstanceId instanceId;
  std::string instanceName;  ///< as it was called then
  std::string owner;
  ProviderType provider = ProviderType::docker;
  std::string region;
  SystemTime createdAt{};
  std::int64_t files = 0;
  std::int64_t bytes = 0;  ///< of their content
  bool automatic = false;  ///< taken and deleted by the provider; name is the id, and its files are not counted
  SystemTime expiresAt{};  ///< when the provider deletes it; zero: kept until it is deleted by request
};
BOOST_DESCRIBE_STRUCT(Snapshot, (),
                      (id, name, instanceId, instanceName, owner, provider, region, createdAt, files, bytes, automatic, expiresAt))

/// An instance's own, and those that its provider takes automatically.
struct SnapshotList {
  std::vector<Snapshot> items;
  std::string missing;  ///< why the provider's are not among them, as a sentence; empty: they are, or it takes none
};

}  // namespace swarm
