// World: the whole state of the emulated Fly, in memory, with the indices that make every request fast. No rules, no I/O.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/notifier.h"
#include "base/clock.h"
#include "emulator/backend.h"
#include "emulator/state/machine_state.h"

namespace swarm::emulator {

namespace json = boost::json;

struct AppSecret {
  std::string value;
  std::int64_t version = 0;  ///< of the app's secrets when it was set
  SystemTime createdAt{}, updatedAt{};
};

struct SecretKey {
  std::string type;
  std::string value;  ///< raw bytes
  SystemTime createdAt{}, updatedAt{};
};

/// The certificate of an app's own hostname.
struct Certificate {
  bool acmeRequested = false;
  bool hasCustom = false;       ///< whether one was uploaded; the next three members describe it
  std::string issuer, keyType;  ///< keyType: rsa, ecdsa
  SystemTime expiresAt{};
  SystemTime createdAt{}, updatedAt{};
};

struct IpAssignment {
  std::string ip;
  std::string type;  ///< v4, v6, shared_v4, private_v6, egress_v4, egress_v6
  std::string region;
  std::string serviceName;
  std::string network;  ///< of private_v6
  std::string organization;
  SystemTime createdAt{};
};

struct Machine;
struct Volume;
using MachinePtr = std::shared_ptr<Machine>;
using VolumePtr = std::shared_ptr<Volume>;

struct App {
  std::string id;
  std::int64_t number = 0;  ///< internal_numeric_id, and the sort key of lists
  std::string name;
  std::string organization;
  std::string network;
  std::string idempotencyKey;
  SystemTime createdAt{};
  SystemTime visibleAt{};  ///< before it, calls below the app return 404 (§2)
  bool deleted = false;    ///< the name stays taken until Machines and volumes are deleted
  std::int64_t secretsVersion = 0;
  std::map<std::string, AppSecret> secrets;
  std::map<std::string, SecretKey> secretKeys;
  std::map<std::string, Certificate> certificates;  ///< by hostname
  std::vector<IpAssignment> ips;
  std::vector<json::object> policies;
  std::vector<std::string> deployTokens;

  // Indices, by number; not stored.
  std::map<std::int64_t, MachinePtr> machines;  ///< including destroyed ones, until they are dropped
  std::map<std::int64_t, VolumePtr> volumes;
  std::unordered_map<std::string, MachinePtr> machinesByName;  ///< without destroyed ones
};
using AppPtr = std::shared_ptr<App>;

struct ImageReference {
  std::string registry, repository, tag, digest;
  std::map<std::string, std::string> labels;
};

struct MachineVersion {
  std::string version;
  json::object config;
};

struct MachineEvent {
  std::string id;
  std::string type, status, source;
  std::int64_t timestampMs = 0;
  json::object request;  ///< empty: none
};

struct MachineLease {
  std::string nonce, owner, description, version;
  SystemTime expiresAt{};
};

enum class HostStatus { ok, unreachable };

/// The physical location of a Machine or volume.
struct Host {
  std::string id;  ///< "ams-1"
  std::string region;
  std::string zone;  ///< 4 hex digits
  std::int64_t usedMemoryMb = 0;
  int usedCpus = 0;
  int machines = 0;  ///< those that use capacity
  int volumes = 0;   ///< those that are not being deleted
  HostStatus status = HostStatus::ok;
};

struct GuestSize {
  std::string kind = "shared";
  int cpus = 1;
  std::int64_t memoryMb = 256;
};

/// One request that waits for a state (§5). `satisfied` is evaluated at each change; the result is kept, as the state may change again.
struct StateWaiter {
  std::vector<MachineState> states;  ///< empty: settled
  std::string version;               ///< empty: any
  std::string afterEvent;            ///< empty: any
  async::Notifier done;
  std::optional<json::object> response;
};

struct Machine {
  std::string id;
  std::int64_t number = 0;
  std::weak_ptr<App> app;
  std::string name;
  std::string region;
  Host* host = nullptr;
  MachineState state = MachineState::created;
  std::string version;
  json::object config;  ///< as given, including unknown keys
  GuestSize guest;
  ImageReference image;
  std::string privateIp;
  std::string volumeId;
  std::string mountPath;
  bool cordoned = false;
  bool skipSecrets = false;
  bool launchPending = false;                             ///< created, and about to start
  MachineState stateAfterUpdate = MachineState::started;  ///< the state after `replacing`: started, stopped or created
  std::int64_t memoryLimitMb = 0;                         ///< of …/memory; 0: the guest's
  SystemTime createdAt{}, updatedAt{}, visibleAt{}, startableAt{}, destroyedAt{};
  std::vector<MachineVersion> versions;  ///< oldest first; the last is the current one
  std::deque<MachineEvent> events;       ///< oldest first, at most 50
  std::optional<MachineLease> lease;
  int restartCount = 0;

  // Transient; not stored.
  bool busy = false;        ///< a job of lifecycle.cc holds it
  bool reserved = false;    ///< counted in its host's usage
  bool execBusy = false;    ///< init runs one command at a time (§8)
  async::Notifier changed;  ///< state, exit, busy
  std::optional<GuestExit> lastExit;
  std::deque<SystemTime> recentRestarts;
  std::vector<std::shared_ptr<StateWaiter>> waiters;
};

inline bool isReachable(const Machine& machine) { return !machine.host || machine.host->status == HostStatus::ok; }

struct VolumeSnapshot {
  std::string id;
  std::string digest;
  SystemTime createdAt{};
  std::int64_t sizeBytes = 0;
  std::int64_t volumeSizeGb = 0;
  std::int64_t retentionDays = 5;
};

struct Volume {
  std::string id;
  std::int64_t number = 0;
  std::weak_ptr<App> app;
  std::string name;
  std::string region;
  Host* host = nullptr;
  std::string state = "creating";
  std::int64_t sizeGb = 3;
  std::int64_t snapshotRetention = 5;
  bool encrypted = true;
  bool autoBackup = true;
  std::string fstype = "ext4";
  std::string attachedMachine;
  SystemTime boundUntil = SystemTime::max();  ///< set when the Machine was destroyed
  SystemTime createdAt{}, updatedAt{}, deletedAt{};
  std::vector<VolumeSnapshot> snapshots;

  bool isGoing() const { return state == "pending_destroy" || state == "destroyed"; }
};

class World {
 public:
  std::map<std::string, AppPtr> apps;  ///< by name; deleted ones until their name is free
  std::unordered_map<std::string, MachinePtr> machines;
  std::unordered_map<std::string, VolumePtr> volumes;
  std::map<std::string, Host> hosts;

  std::int64_t nextNumber() { return ++last_number_; }
  void raiseNumber(std::int64_t seen) { last_number_ = std::max(last_number_, seen); }

  AppPtr findApp(const std::string& name) const;  ///< including a deleted one
  MachinePtr findMachine(const App& app, const std::string& id) const;
  VolumePtr findVolume(const App& app, const std::string& id) const;

  void add(const AppPtr& app);
  void add(const AppPtr& app, const MachinePtr& machine);
  void add(const AppPtr& app, const VolumePtr& volume);
  void forget(const AppPtr& app);
  void forget(const MachinePtr& machine);
  void forget(const VolumePtr& volume);

 private:
  std::int64_t last_number_ = 0;
};

}  // namespace swarm::emulator
