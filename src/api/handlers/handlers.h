// The handlers that the route table names, by area. Each adapts a checked request to one call of the controller or of auth.
#pragma once

#include "api/http/call.h"
#include "model/codec/codec.h"
#include "model/requests.h"

namespace swarm::api {

/// The body as its description has it. Throws Error(InvalidArgument) with every fault.
template <typename Request>
Request readBody(Call& call) {
  std::vector<FieldError> faults;
  auto request = readRequest<Request>(call.body(), faults);
  throwIfAny(std::move(faults));
  return request;
}

// instances.cc
awaitable<Reply> createInstance(Services& services, Call& call);
awaitable<Reply> listInstances(Services& services, Call& call);
awaitable<Reply> getInstance(Services& services, Call& call);
awaitable<Reply> updateInstance(Services& services, Call& call);
awaitable<Reply> patchInstance(Services& services, Call& call);
// lifecycle.cc
awaitable<Reply> startInstance(Services& services, Call& call);
awaitable<Reply> stopInstance(Services& services, Call& call);
awaitable<Reply> restartInstance(Services& services, Call& call);
awaitable<Reply> deleteInstance(Services& services, Call& call);
// migrate.cc
awaitable<Reply> migrateInstance(Services& services, Call& call);
// snapshots.cc
awaitable<Reply> takeSnapshot(Services& services, Call& call);
awaitable<Reply> restoreSnapshot(Services& services, Call& call);
awaitable<Reply> listSnapshots(Services& services, Call& call);
awaitable<Reply> listInstanceSnapshots(Services& services, Call& call);
awaitable<Reply> deleteSnapshot(Services& services, Call& call);
// archive.cc
awaitable<Reply> exportInstance(Services& services, Call& call);
awaitable<Reply> importInstance(Services& services, Call& call);
// inside.cc
awaitable<Reply> executeCommand(Services& services, Call& call);
awaitable<Reply> getUsage(Services& services, Call& call);
awaitable<Reply> getNetwork(Services& services, Call& call);
awaitable<Reply> issueToken(Services& services, Call& call);
awaitable<Reply> openExec(Services& services, Call& call);
awaitable<Reply> openPort(Services& services, Call& call);
// logs.cc
awaitable<Reply> readLogs(Services& services, Call& call);
// events.cc
awaitable<Reply> streamEvents(Services& services, Call& call);
// operations.cc
awaitable<Reply> listOperations(Services& services, Call& call);
awaitable<Reply> getOperation(Services& services, Call& call);
awaitable<Reply> cancelOperation(Services& services, Call& call);
awaitable<Reply> createLoginLink(Services& services, Call& call);
awaitable<Reply> listSessions(Services& services, Call& call);
awaitable<Reply> endSession(Services& services, Call& call);
awaitable<Reply> listNameHolds(Services& services, Call& call);
awaitable<Reply> releaseName(Services& services, Call& call);
awaitable<Reply> listVolumes(Services& services, Call& call);
awaitable<Reply> deleteVolume(Services& services, Call& call);
// providers.cc
awaitable<Reply> listProviders(Services& services, Call& call);
awaitable<Reply> getProvider(Services& services, Call& call);
awaitable<Reply> validateProvider(Services& services, Call& call);
awaitable<Reply> getSwarmStatus(Services& services, Call& call);
// sessions.cc
awaitable<Reply> login(Services& services, Call& call);
awaitable<Reply> logout(Services& services, Call& call);
awaitable<Reply> authStatus(Services& services, Call& call);
// users.cc
awaitable<Reply> getGitIdentity(Services& services, Call& call);
awaitable<Reply> setGitIdentity(Services& services, Call& call);
// system.cc
awaitable<Reply> health(Services& services, Call& call);
awaitable<Reply> ready(Services& services, Call& call);
awaitable<Reply> metrics(Services& services, Call& call);
awaitable<Reply> openapi(Services& services, Call& call);
awaitable<Reply> version(Services& services, Call& call);

/// The instance that the path names, when the caller may see it. Throws Error(NotFound): strangers' instances look like absent ones; and
/// Error(PermissionDenied) when the caller sees it but the route asks for more.
awaitable<Instance> requireInstance(Services& services, Call& call, Permission permission);

/// Throws Error(PreconditionFailed) for an instance at a version that If-Match does not name. Changes are admitted by the controller.
void requireAdmitted(const Call& call, const Instance& instance);

/// What a mutation answers once it was begun: waits as `?wait=` says. `done` is the status when it has ended well, 202 is it before that.
/// Throws the operation's own error when it has failed.
awaitable<Reply> answerOperation(Services& services, Call& call, InstanceAndOperation begun, int done);
/// Waits for `operation` as `?wait=` says; throws its error when it has failed.
awaitable<Operation> settle(Services& services, Call& call, Operation operation);

/// Where the answer tells that its operation is followed.
net::Header operationLocation(const std::string& operation_id);

/// Cursors are opaque: an id in base64url.
std::string makeCursor(std::string_view id);
std::string readCursor(const Call& call);  ///< empty without one; throws Error(InvalidArgument)

}  // namespace swarm::api
