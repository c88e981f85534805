// A Machine of Fly, and what requests and responses about it consist of. JSON is kept where it is sent back to Fly: unknown keys must
// survive an update (docs/reference/fly-machines.md §3, "Read-modify-write").
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

Machine readMachine(const json::value& document, std::string app);

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

struct Lease {
  std::string description;
  std::string nonce;
};

struct LogLine {
  SystemTime at{};
  std::string text;
};

enum class Deleted { Excluded, Included };
enum class Age { Known, New };  ///< New: it may not be known everywhere yet

}  // namespace swarm::flyio
