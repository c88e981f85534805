// What Fly's API answers, as far as the provider works with it. The JSON is kept where it goes back to Fly: keys that we don't know must
// survive an update (docs/reference/fly-machines.md §3, "Read-modify-write").
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
  std::string state;  ///< Fly's word (§4)
  std::string region;
  std::string version;  ///< = instance_id: changes with each change of configuration
  std::string privateIp;
  std::string hostStatus;   ///< ok, unknown, unreachable; empty in lists
  std::string imageDigest;  ///< of the image that it runs; empty where Fly does not say it
  SystemTime createdAt{};
  SystemTime updatedAt{};
  boost::json::object config;
  boost::json::array events;  ///< newest first
  bool hasConfig = false;     ///< false: its host is not reachable, and only an incomplete configuration is known

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
  std::string machineId;  ///< attached to it; empty: to none
  std::int64_t sizeGb = 0;
  SystemTime createdAt{};
  std::string hostStatus;  ///< ok, unknown, unreachable
  bool isHostUnreachable() const { return hostStatus == "unreachable"; }
  bool isGone() const;                                 ///< being destroyed, or destroyed: lists show such volumes for a while
  bool isWhole() const { return state == "created"; }  ///< all its content is on its own host
};

/// Fly's own, of a volume.
struct StoredSnapshot {
  std::string id;
  std::string status;
  SystemTime createdAt{};
  std::int64_t retentionDays = 0;
  std::int64_t sizeBytes = 0;
  std::int64_t volumeBytes = 0;  ///< a volume that is made from it has at least this size
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
SystemTime readTime(const std::string& text);  ///< the epoch for what is no time

}  // namespace swarm::flyio
