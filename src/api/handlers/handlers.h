// The subjects of the API, and what their handlers share. A file of this folder has the rows of its routes beside the handlers, which adapt
// a checked request to one call of the controller or of auth.
#pragma once

#include "api/http/call.h"
#include "controller/controller.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "model/responses.h"
#include "provider/image_policy.h"

namespace swarm::api {

std::vector<Endpoint> accessTokenRoutes();
std::vector<Endpoint> archiveRoutes();
std::vector<Endpoint> auditRoutes();
std::vector<Endpoint> eventRoutes();
std::vector<Endpoint> groupRoutes();
std::vector<Endpoint> identityRoutes();
std::vector<Endpoint> insideRoutes();
std::vector<Endpoint> instanceRoutes();
std::vector<Endpoint> lifecycleRoutes();
std::vector<Endpoint> logRoutes();
std::vector<Endpoint> migrateRoutes();
std::vector<Endpoint> nameRoutes();
std::vector<Endpoint> operationRoutes();
std::vector<Endpoint> portRoutes();
std::vector<Endpoint> programRoutes();
std::vector<Endpoint> providerRoutes();
std::vector<Endpoint> quotaRoutes();
std::vector<Endpoint> secondFactorRoutes();
std::vector<Endpoint> sessionRoutes();
std::vector<Endpoint> shareRoutes();
std::vector<Endpoint> snapshotRoutes();
std::vector<Endpoint> sshKeyRoutes();
std::vector<Endpoint> systemRoutes();
std::vector<Endpoint> usageRoutes();
std::vector<Endpoint> userRoutes();

/// Reads the body by its description. Throws Error(InvalidArgument) with every fault.
template <typename Request>
Request readBody(Call& call) {
  std::vector<FieldError> faults;
  auto request = readRequest<Request>(call.body(), faults);
  throwIfAny(std::move(faults));
  return request;
}

/// A body that model/ describes.
template <typename T>
Reply reply(const T& body, int status = 200) {
  return jsonReply(status, toJson(body));
}
/// {"items": […]}
template <typename T>
Reply replyWithItems(const std::vector<T>& items) {
  return jsonReply(200, boost::json::object{{"items", toJson(items)}});
}

/// The instance that the path names, if the caller may see it. Throws Error(NotFound) for instances of others, as for missing ones, and
/// Error(PermissionDenied) when the caller may see it but lacks `permission`.
awaitable<Instance> requireInstance(Services& services, Call& call, Permission permission);

/// The user that the path names ("me": the caller), if the caller may see them. Throws Error(NotFound) for unseen ones, as for missing
/// ones.
awaitable<UserRecord> requireUser(Services& services, Call& call, Permission permission);

/// The owner of a new credential: the caller (also for an empty `owner`), or a service account, since with a credential of another person
/// the caller would act as them. `what_persons_do`: "creates their own access tokens".
awaitable<std::string> credentialOwnerOf(Services& services, Call& call, std::string owner, std::string_view what_persons_do);

SessionResponse responseOf(const SessionRecord& session, const Call& call);

/// Hides what only those see who may configure the instance: values of its environment, and its setup script.
void hideSecrets(const Call& call, Instance& instance);

/// The images that the user may name in a request.
ImageChoice imageChoiceOf(const Principal& principal);

/// The caller, for the controller: a refusal names only what they may see.
Actor actorOf(const Call& call);

/// Whether the caller may see the objects of all users.
bool seesAll(const Call& call);

/// Of the instances that `listed` admits, those that the caller may see, from the request's cursor on.
InstanceQuery visibleInstances(const Call& call, ListInstancesQuery listed);

/// Throws Error(PreconditionFailed) for an instance at a version that If-Match does not name. For changes, the controller checks that.
void requireAdmitted(const Call& call, const Instance& instance);

/// Throws Error(PermissionDenied) when the caller lacks `permission` for what belongs to `owner`, and concerns `instance`.
void requireAllowed(const Call& call, Permission permission, std::string_view owner, const InstanceId& instance = {});

/// After a wait, which may have outlived the caller's access. Throws Error(Unauthenticated) when the caller's session or token has ended,
/// and Error(NotFound) when they may not see the operation any more.
void requireStillVisible(Services& services, const Call& call, const Operation& operation);

/// The response to a change that was started: waits as `?wait=` requests. `done` is the status after a success within that time, otherwise
/// it is 202. Throws the operation's error when it failed.
awaitable<Reply> respondWithOperation(Services& services, Call& call, InstanceAndOperation started, int done);
/// Waits for `operation` as `?wait=` requests; throws its error when it failed.
awaitable<Operation> settle(Services& services, Call& call, Operation operation);

/// The header with the URL of an operation.
net::Header operationLocation(const std::string& operation_id);

/// Cursors are opaque: an id in base64url.
std::string makeCursor(std::string_view id);
std::string readCursor(const Call& call);  ///< empty without one; throws Error(InvalidArgument)

}  // namespace swarm::api
