// Start, stop, restart and delete, and what all mutations share: waiting for their operation.
#include "api/handlers/handlers.h"
#include "api/http/entity_tags.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

bool hasEnded(const Operation& operation) {
  return operation.status != OperationStatus::pending && operation.status != OperationStatus::running;
}

/// The instance, and the versions of it that the request is meant for.
InstanceRef refOf(const Instance& instance, const Call& call) { return {instance.id, call.versions()}; }

}  // namespace

net::Header operationLocation(const std::string& operation_id) { return {"Operation-Location", "/api/operations/" + operation_id}; }

awaitable<Operation> settle(Services& services, Call& call, Operation operation) {
  if (call.wait() > std::chrono::seconds(0) && !hasEnded(operation))
    operation = co_await services.controller.waitForOperation(operation.id, Deadline::after(call.wait()));
  if (operation.status == OperationStatus::failed || operation.status == OperationStatus::cancelled) {
    Error error = operation.error.value_or(operation.status == OperationStatus::cancelled
                                               ? Error(ErrorCode::Cancelled, "The operation was cancelled.")
                                               : Error(ErrorCode::Internal, "The operation failed without a reason."));
    throw std::move(error).withInstance(operation.instanceId);
  }
  co_return operation;
}

awaitable<Reply> answerOperation(Services& services, Call& call, InstanceAndOperation begun, int done) {
  // An operation that was over before we asked (a replayed key, a start of what runs) is judged only when the caller waits for it.
  bool waits = call.wait() > std::chrono::seconds(0);
  Operation operation = waits ? co_await settle(services, call, begun.operation) : begun.operation;
  Instance instance = std::move(begun.instance);
  bool ended = operation.status == OperationStatus::succeeded;
  if (waits && ended) {
    if (auto now = co_await services.controller.getInstance(instance.id)) {
      instance = std::move(*now);
    } else {
      instance.status = instance.desired = InstanceStatus::deleted;
    }
  }
  boost::json::value body = toJson(instance);
  body.get_object()["operationId"] = operation.id;
  Reply reply = jsonReply(waits && ended ? done : 202, body);
  reply.headers.push_back({"ETag", entityTag(instance)});
  if (reply.status == 202) reply.headers.push_back(operationLocation(operation.id));
  co_return reply;
}

awaitable<Reply> startInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  auto begun = co_await services.controller.startInstance(refOf(instance, call), call.principal().user,
                                                          call.flag("emptyVolumes") ? EmptyVolumes::Yes : EmptyVolumes::No);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

awaitable<Reply> stopInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  auto begun = co_await services.controller.stopInstance(refOf(instance, call), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

awaitable<Reply> restartInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  auto begun = co_await services.controller.restartInstance(refOf(instance, call), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

awaitable<Reply> deleteInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  DeleteVolumes volumes = call.flag("volumes") ? DeleteVolumes::Yes : DeleteVolumes::No;
  auto begun = co_await services.controller.deleteInstance(refOf(instance, call), volumes, call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

}  // namespace swarm::api
