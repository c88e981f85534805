// A volume of Fly, its snapshots, and the request that creates one.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "base/clock.h"

namespace swarm::flyio {

namespace json = boost::json;

struct Volume {
  std::string app;
  std::string id;
  std::string name;
  std::string state;
  std::string region;
  std::string machineId;  ///< the Machine that it is attached to; empty: none
  std::int64_t sizeGb = 0;
  SystemTime createdAt{};
  std::string hostStatus;  ///< ok, unknown, unreachable
  bool isHostUnreachable() const { return hostStatus == "unreachable"; }
  bool isGone() const;                                 ///< destroyed or being destroyed; lists show such volumes for a while
  bool isWhole() const { return state == "created"; }  ///< all of its content is on its own host
};

Volume readVolume(const json::value& document, std::string app);

/// A snapshot that Fly took of a volume.
struct StoredSnapshot {
  std::string id;
  std::string status;
  SystemTime createdAt{};
  std::int64_t retentionDays = 0;
  std::int64_t sizeBytes = 0;
  std::int64_t volumeBytes = 0;  ///< minimum size of a volume that is created from it
};

struct VolumeRequest {
  std::string app;
  std::string name;
  std::string region;
  std::int64_t sizeGb = 0;
  json::object guest;      ///< of the Machine that will mount it
  bool isBackedUp = true;  ///< Fly takes daily snapshots of it
  std::int64_t retentionDays = 0;
  std::string sourceVolumeId;  ///< the volume is a fork of this one
  std::string snapshotId;      ///< or is restored from this snapshot
};

}  // namespace swarm::flyio
