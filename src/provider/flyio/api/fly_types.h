// The types of Fly's API that the provider uses. JSON is kept where it is sent back to Fly: unknown keys must survive an update
// (docs/reference/fly-machines.md §3, "Read-modify-write").
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "base/clock.h"

namespace swarm::flyio {

struct App {
  std::string name;
  std::string network;
  std::string organization;  ///< slug
  std::int64_t machineCount = 0;
  std::int64_t volumeCount = 0;
};

/// A Machine. From the organization's list `config` has guest, image and metadata only, and events are missing.
struct Machine {
  std::string app;
  std::string id;
  std::string name;
  std::string state;  ///< as Fly names it (§4)
  std::string region;
  std::string version;  ///< = instance_id: changes with each change of configuration
  std::string privateIp;
  std::string hostStatus;   ///< ok, unknown, unreachable; empty in lists
  std::string imageDigest;  ///< of the image that it runs; empty: unknown
  SystemTime createdAt{};
  SystemTime updatedAt{};
  boost::json::object config;
  boost::json::array events;  ///< newest first
  bool hasConfig = false;     ///< false: its host is unreachable and only an incomplete configuration is known

  std::string metadata(std::string_view key) const;
  std::string volumeId() const;  ///< of its one mount; empty without
  bool isGone() const { return state == "destroyed" || state == "replaced" || state == "migrated"; }
  bool isHostUnreachable() const { return hostStatus == "unreachable"; }
};

struct LogLine {
  SystemTime at{};
  std::string text;
};

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

/// A snapshot that Fly took of a volume.
struct StoredSnapshot {
  std::string id;
  std::string status;
  SystemTime createdAt{};
  std::int64_t retentionDays = 0;
  std::int64_t sizeBytes = 0;
  std::int64_t volumeBytes = 0;  ///< minimum size of a volume that is created from it
};

struct IpAddress {
  std::string ip;
  bool shared = false;
  bool isV6() const { return ip.find(':') != std::string::npos; }
  bool isPrivate() const { return ip.starts_with("fdaa:"); }
};

struct ExecOutcome {
  std::int64_t exitCode = 0;
  bool hasExitCode = true;
  std::int64_t exitSignal = 0;
  std::string stdoutText;
  std::string stderrText;
};

struct Region {
  std::string code;
  std::string name;
  bool deprecated = false;
  bool requiresPaidPlan = false;
};
struct RegionList {
  std::vector<Region> regions;
  std::string nearest;
};

/// One page of an organization's list.
template <typename T>
struct Page {
  std::vector<T> items;
  std::string nextCursor;
  std::vector<std::string> errorRegions;  ///< not empty: entries are missing
  std::string lastUpdatedAt;
};

struct TokenInfo {
  std::string organization;  ///< slug
  std::string user;
  std::vector<std::string> apps;  ///< not empty: the token is limited to these
};

App readApp(const boost::json::value& answer);
Machine readMachine(const boost::json::value& answer, std::string app);
Volume readVolume(const boost::json::value& answer, std::string app);
SystemTime readTime(const std::string& text);  ///< the epoch for anything else

}  // namespace swarm::flyio
