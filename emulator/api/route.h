// Route: the API as data. One table defines each call's path, the object that must exist, the rate limit, and the handler.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/api/call.h"

namespace swarm::emulator {

using Handler = awaitable<Answer> (*)(Core& core, Call& call);

/// The object in the path that must exist; the dispatcher looks it up. AppItself: also an app that has not propagated yet.
enum class Scope { Nothing, AppItself, App, Machine, Volume };
enum class LeaseGate { Open, Gated };  ///< Gated: refused (409) without the nonce while the Machine is leased (§6)
enum class BodyRule { None, Optional, Required };
/// §1 "Rate limits". For Normal and GetMachine the identifier is the Machine's id, else the app's.
enum class Limit { None, Normal, GetMachine, DeleteApp };

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< {name} matches one segment
  std::string_view action;   ///< for faults and rate limits
  Handler handler = nullptr;
  Scope scope = Scope::App;
  Limit limit = Limit::Normal;
  LeaseGate gate = LeaseGate::Open;
  BodyRule body = BodyRule::None;
  std::string_view goType = "";  ///< for error texts about wrong bodies
};

const std::vector<Route>& routes();

/// Null: E5. `arguments` are the path's parameters, decoded.
const Route* findRoute(std::string_view method, std::string_view path, std::vector<std::string>& arguments);

/// Whether `path` matches the pattern; `arguments` are the values of its {…}, decoded.
bool matchesPath(std::string_view pattern, std::string_view path, std::vector<std::string>& arguments);

/// /emulator/…: controls of the emulator itself for tests and people, on the loopback interface only; not part of Fly's API. Throws Refusal
/// and swarm::Error (admin.cc).
awaitable<Answer> handleAdmin(Core& core, Call& call);

// apps.cc
awaitable<Answer> listApps(Core& core, Call& call);
awaitable<Answer> createApp(Core& core, Call& call);
awaitable<Answer> getApp(Core& core, Call& call);
awaitable<Answer> deleteApp(Core& core, Call& call);
awaitable<Answer> createDeployToken(Core& core, Call& call);
// addresses.cc
awaitable<Answer> listIps(Core& core, Call& call);
awaitable<Answer> assignIp(Core& core, Call& call);
awaitable<Answer> releaseIp(Core& core, Call& call);
// certificates.cc
awaitable<Answer> listCertificates(Core& core, Call& call);
awaitable<Answer> requestCertificate(Core& core, Call& call);
awaitable<Answer> uploadCertificate(Core& core, Call& call);
awaitable<Answer> getCertificate(Core& core, Call& call);
awaitable<Answer> checkCertificate(Core& core, Call& call);
awaitable<Answer> deleteCertificate(Core& core, Call& call);
awaitable<Answer> stopAcme(Core& core, Call& call);
awaitable<Answer> deleteUploaded(Core& core, Call& call);
// secrets.cc
awaitable<Answer> listSecrets(Core& core, Call& call);
awaitable<Answer> updateSecrets(Core& core, Call& call);
awaitable<Answer> getSecret(Core& core, Call& call);
awaitable<Answer> setSecret(Core& core, Call& call);
awaitable<Answer> deleteSecret(Core& core, Call& call);
// secret_keys.cc
awaitable<Answer> listSecretKeys(Core& core, Call& call);
awaitable<Answer> getSecretKey(Core& core, Call& call);
awaitable<Answer> setSecretKey(Core& core, Call& call);
awaitable<Answer> generateSecretKey(Core& core, Call& call);
awaitable<Answer> deleteSecretKey(Core& core, Call& call);
awaitable<Answer> encryptBySecretKey(Core& core, Call& call);
awaitable<Answer> decryptBySecretKey(Core& core, Call& call);
awaitable<Answer> signBySecretKey(Core& core, Call& call);
awaitable<Answer> verifyBySecretKey(Core& core, Call& call);
// policies.cc
awaitable<Answer> listPolicies(Core& core, Call& call);
awaitable<Answer> createPolicy(Core& core, Call& call);
awaitable<Answer> deletePolicy(Core& core, Call& call);
// machines_read.cc
awaitable<Answer> listMachines(Core& core, Call& call);
awaitable<Answer> getMachine(Core& core, Call& call);
awaitable<Answer> listEvents(Core& core, Call& call);
awaitable<Answer> listVersions(Core& core, Call& call);
awaitable<Answer> waitForMachine(Core& core, Call& call);
// machines_write.cc
awaitable<Answer> createMachine(Core& core, Call& call);
awaitable<Answer> updateMachine(Core& core, Call& call);
// machines_act.cc
awaitable<Answer> deleteMachine(Core& core, Call& call);
awaitable<Answer> startMachine(Core& core, Call& call);
awaitable<Answer> stopMachine(Core& core, Call& call);
awaitable<Answer> suspendMachine(Core& core, Call& call);
awaitable<Answer> restartMachine(Core& core, Call& call);
awaitable<Answer> signalMachine(Core& core, Call& call);
awaitable<Answer> cordonMachine(Core& core, Call& call);
awaitable<Answer> uncordonMachine(Core& core, Call& call);
// guest.cc
awaitable<Answer> execInMachine(Core& core, Call& call);
awaitable<Answer> listProcesses(Core& core, Call& call);
awaitable<Answer> getMemory(Core& core, Call& call);
awaitable<Answer> setMemory(Core& core, Call& call);
awaitable<Answer> reclaimMemory(Core& core, Call& call);
// leases.cc
/// The current lease; null if there is none, or it has expired.
MachineLease* leaseOf(const Core& core, Machine& machine);
/// Throws the 409 of E16 when another owner holds a lease.
void requireLease(const Core& core, const Call& call, Machine& machine);
MachineLease& takeLease(Core& core, const Call& call, const MachinePtr& machine, std::int64_t ttl_seconds, std::string description);
awaitable<Answer> getLease(Core& core, Call& call);
awaitable<Answer> acquireLease(Core& core, Call& call);
awaitable<Answer> releaseLease(Core& core, Call& call);
// metadata.cc
awaitable<Answer> getMetadata(Core& core, Call& call);
awaitable<Answer> patchMetadata(Core& core, Call& call);
awaitable<Answer> getMetadataKey(Core& core, Call& call);
awaitable<Answer> setMetadataKey(Core& core, Call& call);
awaitable<Answer> deleteMetadataKey(Core& core, Call& call);
// volumes.cc
awaitable<Answer> listVolumes(Core& core, Call& call);
awaitable<Answer> createVolume(Core& core, Call& call);
awaitable<Answer> getVolume(Core& core, Call& call);
awaitable<Answer> updateVolume(Core& core, Call& call);
awaitable<Answer> deleteVolume(Core& core, Call& call);
awaitable<Answer> extendVolume(Core& core, Call& call);
awaitable<Answer> listSnapshots(Core& core, Call& call);
awaitable<Answer> createSnapshot(Core& core, Call& call);
// platform.cc
awaitable<Answer> listRegions(Core& core, Call& call);
awaitable<Answer> probePlacements(Core& core, Call& call);
awaitable<Answer> currentToken(Core& core, Call& call);
awaitable<Answer> listOrganizationMachines(Core& core, Call& call);
awaitable<Answer> listOrganizationVolumes(Core& core, Call& call);
// facade.cc
awaitable<Answer> queryGraph(Core& core, Call& call);
// web.cc
awaitable<Answer> listWebOrganizations(Core& core, Call& call);
awaitable<Answer> getWebOrganization(Core& core, Call& call);
awaitable<Answer> createBuild(Core& core, Call& call);
awaitable<Answer> finishBuild(Core& core, Call& call);
awaitable<Answer> listWebReleases(Core& core, Call& call);
awaitable<Answer> listWebLogs(Core& core, Call& call);

}  // namespace swarm::emulator
