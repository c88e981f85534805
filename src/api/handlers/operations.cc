// Operations, and the volumes that deleted instances left.
#include "api/handlers/handlers.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

awaitable<Operation> requireOperation(Services& services, Call& call, Permission permission) {
  std::optional<Operation> operation = co_await services.controller.getOperation(call.argument());
  if (!operation || !canSee(call.principal(), operation->owner)) throw notFound("operation", call.argument());
  if (!isAllowed(call.principal(), permission, operation->owner))
    throw Error(ErrorCode::PermissionDenied, "Your role does not allow this.").withInstance(operation->instanceId);
  co_return std::move(*operation);
}

json::object volumeJson(const VolumeInfo& volume) {
  return {{"name", volume.name},   {"instanceId", volume.instanceId},       {"owner", volume.owner},  {"mountPath", volume.mountPath},
          {"inUse", volume.inUse}, {"createdAt", toJson(volume.createdAt)}, {"stray", volume.isStray}};
}

}  // namespace

awaitable<Reply> listOperations(Services& services, Call& call) {
  OperationFilter filter;
  if (auto status = call.text("status")) filter.status = enumFromName<OperationStatus>(*status);
  filter.limit = static_cast<std::size_t>(call.integer("limit").value_or(100));
  filter.before = readCursor(call);
  if (!call.isAdmin()) filter.owner = call.principal().user;
  if (auto ref = call.text("instance")) {
    // A name leads to its id; an id may be that of an instance that is gone.
    std::optional<Instance> instance = co_await services.controller.getInstance(*ref);
    filter.instanceId = instance ? instance->id : *ref;
  }
  std::size_t limit = filter.limit++;
  std::vector<Operation> operations = co_await services.controller.listOperations(std::move(filter));
  bool more = operations.size() > limit;
  if (more) operations.resize(limit);
  json::object answer{{"items", toJson(operations)}};
  if (more) answer["nextCursor"] = makeCursor(operations.back().id);
  co_return jsonReply(200, answer);
}

awaitable<Reply> getOperation(Services& services, Call& call) {
  Operation operation = co_await requireOperation(services, call, Permission::ReadOwn);
  if (call.wait() > std::chrono::seconds(0))
    operation = co_await services.controller.waitForOperation(operation.id, Deadline::after(call.wait()));
  co_return jsonReply(200, toJson(operation));
}

awaitable<Reply> cancelOperation(Services& services, Call& call) {
  Operation operation = co_await requireOperation(services, call, Permission::WriteOwn);
  Reply reply = jsonReply(202, toJson(co_await services.controller.cancelOperation(operation.id)));
  reply.headers.push_back(operationLocation(operation.id));
  co_return reply;
}

awaitable<Reply> listVolumes(Services& services, Call& call) {
  json::array items;
  for (const VolumeInfo& volume : co_await services.controller.listVolumes()) {
    if (canSee(call.principal(), volume.owner)) items.push_back(volumeJson(volume));
  }
  co_return jsonReply(200, json::object{{"items", std::move(items)}});
}

awaitable<Reply> deleteVolume(Services& services, Call& call) {
  std::vector<VolumeInfo> volumes = co_await services.controller.listVolumes();
  auto found = std::find_if(volumes.begin(), volumes.end(), [&](const VolumeInfo& volume) {
    return volume.name == call.argument() && canSee(call.principal(), volume.owner);
  });
  if (found == volumes.end()) throw notFound("volume", call.argument());
  if (!isAllowed(call.principal(), Permission::WriteOwn, found->owner))
    throw Error(ErrorCode::PermissionDenied, "Your role does not allow this.");
  co_await services.controller.deleteVolume(found->name);
  co_return Reply{.status = 204};
}

}  // namespace swarm::api
