// Names of deleted instances that are kept for their owners.
#include "api/handlers/handlers.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {

namespace json = boost::json;

awaitable<Reply> listNameHolds(Services& services, Call& call) {
  json::array items;
  for (const NameHold& hold : co_await services.controller.listNameHolds()) {
    if (canSee(call.principal(), hold.owner))
      items.push_back(json::object{{"name", hold.name}, {"owner", hold.owner}, {"until", formatTime(hold.until)}});
  }
  co_return jsonReply(200, json::object{{"items", std::move(items)}});
}

awaitable<Reply> releaseName(Services& services, Call& call) {
  for (const NameHold& hold : co_await services.controller.listNameHolds()) {
    if (hold.name != call.argument() || !canSee(call.principal(), hold.owner)) continue;
    if (!isAllowed(call.principal(), Permission::WriteOwn, hold.owner))
      throw Error(ErrorCode::PermissionDenied, "Your role does not allow this.");
    co_await services.controller.releaseName(hold.name);
    co_return Reply{.status = 204};
  }
  throw Error(ErrorCode::NotFound, format("The name \"{}\" is not kept for anyone.", call.argument()));
}

}  // namespace swarm::api
