// Start, stop, restart and delete; and the response to all changes that are operations.
#include "api/handlers/handlers.h"
#include "api/http/entity_tags.h"
#include "api/routes/route_parts.h"
#include "base/not_found.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

bool hasEnded(const Operation& operation) {
  return operation.status != OperationStatus::pending && operation.status != OperationStatus::running;
}

/// The instance, and the versions that the request admits.
InstanceRef refOf(const Instance& instance, const Call& call) { return {instance.id.str(), call.versions()}; }

awaitable<Reply> startInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  auto started = co_await services.controller.startInstance(refOf(instance, call), actorOf(call),
                                                            call.flag("emptyVolumes") ? EmptyVolumes::Yes : EmptyVolumes::No);
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

awaitable<Reply> stopInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  auto started = co_await services.controller.stopInstance(refOf(instance, call), actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

awaitable<Reply> restartInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  auto started = co_await services.controller.restartInstance(refOf(instance, call), actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

awaitable<Reply> deleteInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  DeleteVolumes volumes = call.flag("volumes") ? DeleteVolumes::Yes : DeleteVolumes::No;
  auto started = co_await services.controller.deleteInstance(refOf(instance, call), volumes, actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

}  // namespace

net::Header operationLocation(const std::string& operation_id) { return {"Operation-Location", "/api/operations/" + operation_id}; }

void requireStillVisible(Services& services, const Call& call, const Operation& operation) {
  const std::optional<Principal> now = services.auth.stillSignedIn(call.principal());
  if (!now) throw Error(ErrorCode::Unauthenticated, "The session has ended. Sign in again.");
  if (!canSee(*now, operation.owner, operation.instanceId)) throw notFound("operation", operation.id);
}

awaitable<Operation> settle(Services& services, Call& call, Operation operation) {
  if (call.wait() > std::chrono::seconds(0) && !hasEnded(operation)) {
    operation = co_await services.controller.waitForOperation(operation.id, Deadline::after(call.wait()));
    requireStillVisible(services, call, operation);
  }
  if (operation.status == OperationStatus::failed || operation.status == OperationStatus::cancelled) {
    Error error =
        operation.error.value_or(operation.status == OperationStatus::cancelled
                                     ? Error(ErrorCode::Cancelled, "The operation was cancelled.")
                                     : Error(ErrorCode::Internal, "The operation failed without a reason; see the log of the server."));
    throw std::move(error).withInstance(operation.instanceId.str());
  }
  co_return operation;
}

awaitable<Reply> respondWithOperation(Services& services, Call& call, InstanceAndOperation started, int done) {
  // The result of an operation that had ended before (a replayed key, a start of a running instance) counts only when the caller waits.
  bool waits = call.wait() > std::chrono::seconds(0);
  Operation operation = waits ? co_await settle(services, call, started.operation) : started.operation;
  Instance instance = std::move(started.instance);
  bool ended = operation.status == OperationStatus::succeeded;
  if (waits && ended) {
    if (auto now = co_await services.controller.getInstance(instance.id.str())) {
      instance = std::move(*now);
    } else {
      instance.status = instance.desired = InstanceStatus::deleted;
    }
  }
  hideSecrets(call, instance);
  boost::json::value body = toJson(instance);
  body.get_object()["operationId"] = operation.id;
  Reply reply = jsonReply(waits && ended ? done : 202, body);
  reply.headers.push_back({"ETag", entityTag(instance)});
  if (reply.status == 202) reply.headers.push_back(operationLocation(operation.id));
  co_return reply;
}

std::vector<Endpoint> lifecycleRoutes() {
  return {

      at("DELETE", "/api/instances/{id}", Permission::Manage, "deleteInstance", deleteInstance,
         {.summary = "Delete an instance",
          .description = "Works in every state; an operation in progress is cancelled. Persistent volumes are kept, and are listed at `GET "
                         "/api/volumes`, unless `volumes` is true.",
          .responses = {accepted(), ended("Deleted (with wait)")},
          .problems = {409},
          .parameters = {instanceRef(), ifMatch(), flag("volumes", "Delete its persistent volumes too"), waitSeconds()}}),
      at("POST", "/api/instances/{id}/start", Permission::Manage, "startInstance", startInstance,
         {.summary = "Start an instance",
          .description = "A running instance is left unchanged. One whose volume was lost is not started with an empty one, unless "
                         "`emptyVolumes` is true.",
          .responses = {accepted(), ended("It runs (with wait)")},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds(),
                         flag("emptyVolumes", "Replace a volume that was lost with its files by an empty one")}}),
      at("POST", "/api/instances/{id}/stop", Permission::Manage, "stopInstance", stopInstance,
         {.summary = "Stop an instance",
          .description = "All of its processes end; its volumes are kept.",
          .responses = {accepted(), ended("It is stopped (with wait)")},
          .problems = {409, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()}}),
      at("POST", "/api/instances/{id}/restart", Permission::Manage, "restartInstance", restartInstance,
         {.summary = "Restart an instance",
          .description = "A stop and a start as one operation.",
          .responses = {accepted(), ended("It runs again (with wait)")},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()}}),
  };
}

}  // namespace swarm::api
