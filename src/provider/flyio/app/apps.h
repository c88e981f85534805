// Apps: the app of an instance, with its addresses and secrets.
#pragma once

#include <string>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/volume/volumes.h"

namespace swarm::flyio {

enum class AppState { New, Existing };
/// An app that is known to have been created is gone when Fly confirms it several times: a new app may not be known everywhere.
enum class Confirmation { Once, Repeated };

class Apps {
 public:
  Apps(MachinesClient& client, VolumeRecords& records) : client_(client), records_(records) {}

  awaitable<AppState> ensure(std::string app, Deadline deadline);  ///< New: nothing is in it
  awaitable<bool> isGone(std::string app, Confirmation confirmation, Deadline deadline);
  awaitable<void> remove(std::string app, Deadline deadline);  ///< gone: fine
  awaitable<void> ensureAddresses(const InstancePlan& plan, AppState state, Deadline deadline);
  awaitable<void> releaseAddresses(std::string app, Deadline deadline);
  /// Writes the agent's file and the storage record. Returns the version of the secrets; 0 without secrets.
  awaitable<std::int64_t> writeSecrets(const InstancePlan& plan, Deadline deadline);

 private:
  awaitable<void> assignAddress(std::string app, IpKind kind, Deadline deadline);

  MachinesClient& client_;
  VolumeRecords& records_;
};

}  // namespace swarm::flyio
