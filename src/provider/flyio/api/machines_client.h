// MachinesClient: Fly's REST API as typed calls. The only place with its paths and bodies; with fly_errors.h the only one with its texts.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "provider/flyio/api/app.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/region.h"
#include "provider/flyio/api/transport/fly_transport.h"
#include "provider/flyio/api/volume.h"

namespace swarm::flyio {

/// One page of an organization's list.
template <typename T>
struct Page {
  std::vector<T> items;
  std::string nextCursor;
  std::vector<std::string> errorRegions;  ///< not empty: entries are missing
  std::string lastUpdatedAt;
};

/// For one loop. Errors are swarm::Error; what is not found is empty. A call whose failure its callers must distinguish returns FlyResult.
/// Names and ids must be Fly's own (letters, digits, dashes, underscores): they are not escaped in paths.
class MachinesClient {
 public:
  /// As for FlyTransport.
  MachinesClient(const std::string& base_url, FlyToken token, std::string organization, Tuning tuning,
                 std::shared_ptr<net::TlsContext> tls = {})
      : transport_(base_url, std::move(token), tuning, std::move(tls)), organization_(std::move(organization)) {}

  const std::string& organization() const { return organization_; }
  const std::string& baseUrl() const { return transport_.baseUrl(); }
  const Tuning& tuning() const { return transport_.tuning(); }
  void dropConnections() { transport_.dropConnections(); }
  std::int64_t requests() const { return transport_.requests(); }              ///< sent so far, retries included
  std::int64_t refusedForRate() const { return transport_.refusedForRate(); }  ///< 429s received

  // Apps (app_calls.cc)
  awaitable<FlyResult<void>> createApp(std::string app, Deadline deadline);  ///< on a network of its own
  awaitable<std::optional<App>> findApp(std::string app, Deadline deadline);
  awaitable<FlyResult<void>> deleteApp(std::string app, Deadline deadline);
  awaitable<std::int64_t> countApps(Deadline deadline);
  awaitable<std::vector<IpAddress>> listIps(std::string app, Deadline deadline);
  awaitable<FlyResult<void>> assignIp(std::string app, IpKind kind, Deadline deadline);
  awaitable<FlyResult<void>> releaseIp(std::string app, std::string ip, Deadline deadline);
  awaitable<std::int64_t> setSecrets(std::string app, json::object values, Deadline deadline);  ///< their version; 0 if unknown
  awaitable<std::optional<std::string>> readSecret(std::string app, std::string name, Deadline deadline);

  // Volumes (volume_calls.cc)
  awaitable<std::vector<Volume>> listVolumes(std::string app, Deadline deadline);  ///< without those that are being destroyed
  awaitable<std::optional<Volume>> findVolume(std::string app, std::string id, Deadline deadline);
  awaitable<FlyResult<Volume>> createVolume(VolumeRequest request, Deadline deadline);
  awaitable<void> extendVolume(Volume volume, std::int64_t size_gb, Deadline deadline);
  awaitable<FlyResult<void>> deleteVolume(std::string app, std::string id, Deadline deadline);
  awaitable<std::vector<StoredSnapshot>> listSnapshots(std::string app, std::string volume_id, Deadline deadline);  ///< no volume: none

  // Machines (machine_calls.cc). `lease`: the nonce of a lease; empty without one.
  awaitable<std::vector<Machine>> listMachines(std::string app, Deadline deadline, Deleted deleted = Deleted::Excluded);  ///< no app: none
  awaitable<std::optional<Machine>> findMachine(std::string app, std::string id, Deadline deadline, Age age = Age::Known);
  awaitable<FlyResult<Machine>> createMachine(MachineRequest request, Deadline deadline);
  awaitable<FlyResult<Machine>> updateMachine(Machine machine, MachineUpdate update, std::string lease, Deadline deadline);
  awaitable<FlyResult<void>> startMachine(Machine machine, std::string lease, Deadline deadline);
  awaitable<FlyResult<void>> stopMachine(Machine machine, std::chrono::seconds grace, std::string lease, Deadline deadline);
  awaitable<FlyResult<void>> destroyMachine(Machine machine, std::string lease, Deadline deadline);
  awaitable<void> patchMetadata(Machine machine, json::object values, Deadline deadline);
  /// Waits until the Machine is in one of `states`, or `round` has passed.
  struct Waited {
    bool reached = false;
    OpenEnum<MachineState> state;
  };
  awaitable<Waited> wait(Machine machine, MachineStates states, std::chrono::seconds round, Deadline deadline);
  awaitable<std::optional<Lease>> findLease(Machine machine, Deadline deadline);  ///< nothing also when it cannot be read
  /// The nonce. `lease`: one that is renewed.
  awaitable<FlyResult<std::string>> acquireLease(Machine machine, std::string description, std::string lease, Deadline deadline);
  awaitable<void> releaseLease(Machine machine, std::string lease, Deadline deadline);  ///< whatever the response
  awaitable<FlyResult<ExecOutcome>> execute(Machine machine, ExecRequest request, Deadline deadline);

  // The organization and the platform (organization_calls.cc)
  struct OrgQuery {
    std::string updatedAfter = {};  ///< RFC 3339
    std::string cursor = {};
    bool includeDeleted = false;
  };
  awaitable<Page<Machine>> listOrgMachines(OrgQuery query, Deadline deadline);
  awaitable<Page<Volume>> listOrgVolumes(std::string cursor, Deadline deadline);
  awaitable<RegionList> regions(Deadline deadline);
  /// Those of the regions where such a Machine can be created now, considering the quota.
  awaitable<std::vector<std::string>> regionsWithRoom(CapacityQuery query, Deadline deadline);
  awaitable<std::vector<TokenInfo>> tokens(Deadline deadline);
  /// What was logged after `token`, or recently without one; oldest first. Served at webUrl(). No app: nothing.
  struct LogPage {
    std::vector<LogLine> lines;
    std::string nextToken;
  };
  awaitable<LogPage> readLog(std::string app, std::string machine_id, std::string token, Deadline deadline);

 private:
  /// Sends a change; its result is that of `read` for a successful response; nothing read counts as a failure.
  template <typename T, typename Read>
  awaitable<FlyResult<T>> change(FlyCall call, Read read, Deadline deadline);
  awaitable<FlyResult<void>> change(FlyCall call, Deadline deadline);  ///< any successful response is enough
  awaitable<FlyResult<void>> changeConfirmed(FlyCall call,
                                             Deadline deadline);  ///< Fly's own confirmation; a proxy's page with 200 is not one

  FlyTransport transport_;
  std::string organization_;
};

template <typename T, typename Read>
awaitable<FlyResult<T>> MachinesClient::change(FlyCall call, Read read, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await transport_.send(std::move(call), deadline);
  std::optional<T> result;
  if (reply.ok()) result = read(reply.document);
  if (result) co_return std::move(*result);
  co_return std::unexpected(transport_.failure(reply, std::move(doing)));
}

}  // namespace swarm::flyio
