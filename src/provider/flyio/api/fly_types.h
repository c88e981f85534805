// The types of Fly's API that the provider uses. JSON is kept where it is sent back to Fly: unknown keys must survive an update
// (docs/reference/fly-machines.md §3, "Read-modify-write").
#pragma once

#include <boost/describe.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/codec/open_enum.h"

namespace swarm::flyio {

namespace json = boost::json;

struct App {
  std::string name;
  std::int64_t machineCount = 0;
  std::int64_t volumeCount = 0;
};

/// Fly's names (§4). `settled` is not a state, but every one that is not transient: a wait may name it.
enum class MachineState {
  unknown,
  creating,
  created,
  starting,
  started,
  stopping,
  stopped,
  restarting,
  suspending,
  suspended,
  updating,
  replacing,
  failed,
  launch_failed,
  destroying,
  destroyed,
  replaced,
  migrated,
  settled,
};
BOOST_DESCRIBE_ENUM(MachineState, creating, created, starting, started, stopping, stopped, restarting, suspending, suspended, updating,
                    replacing, failed, launch_failed, destroying, destroyed, replaced, migrated, settled)

/// It passes without a call.
inline bool isTransient(const OpenEnum<MachineState>& state) { return state.name().ends_with("ing"); }
using MachineStates = std::span<const MachineState>;
std::string toString(MachineStates states);  ///< "stopped,failed"

/// A Machine. From the organization's list `config` has guest, image and metadata only, and events are missing.
struct Machine {
  std::string app;
  std::string id;
  std::string name;
  OpenEnum<MachineState> state;
  std::string region;
  std::string version;  ///< = instance_id: changes with each change of configuration
  std::string privateIp;
  std::string hostStatus;   ///< ok, unknown, unreachable; empty in lists
  std::string imageDigest;  ///< of the image that it runs; empty: unknown
  SystemTime createdAt{};
  SystemTime updatedAt{};
  json::object config;
  json::array events;      ///< newest first
  bool hasConfig = false;  ///< false: its host is unreachable and only an incomplete configuration is known

  std::string metadata(std::string_view key) const;
  std::string volumeId() const;  ///< of its one mount; empty without
  bool isGone() const { return state == MachineState::destroyed || state == MachineState::replaced || state == MachineState::migrated; }
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

enum class IpKind { SharedV4, V6, PrivateV6, Other };
struct IpAddress {
  std::string ip;
  bool shared = false;
  IpKind kind() const;
};

struct Lease {
  std::string description;
  std::string nonce;
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

struct MachineRequest {
  std::string app;
  std::string name;
  std::string region = {};
  json::object config = {};
  std::int64_t minSecretsVersion = 0;
};

struct MachineUpdate {
  json::object config;  ///< all of it
  std::int64_t minSecretsVersion = 0;
};

struct ExecRequest {
  std::vector<std::string> command;
  std::string input;
  std::chrono::seconds timeout{60};
  json::object body() const;
  std::size_t bodySize() const;
};
struct ExecOutcome {
  std::int64_t exitCode = 0;
  std::string stdoutText;
  std::string stderrText;
  bool isRejected = false;  ///< Fly's init refused the command, which did not run
};

/// A Machine of this size, with a volume if its size is above 0.
struct CapacityQuery {
  std::vector<std::string> regions;
  json::object guest;
  std::string volumeName;
  std::int64_t volumeGb = 0;
};

enum class Deleted { Excluded, Included };
enum class Age { Known, New };  ///< New: it may not be known everywhere yet

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

App readApp(const json::value& document);
Machine readMachine(const json::value& document, std::string app);
Volume readVolume(const json::value& document, std::string app);

}  // namespace swarm::flyio
