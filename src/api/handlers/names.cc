// Names of deleted instances that are reserved for their owners.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

awaitable<Reply> listNameHolds(Services& services, Call& call) {
  std::vector<NameHoldResponse> items;
  for (const NameHold& hold : co_await services.controller.listNameHolds()) {
    if (canSee(call.principal(), hold.owner)) items.push_back({hold.name, hold.owner, hold.until});
  }
  co_return replyWithItems(items);
}

awaitable<Reply> releaseName(Services& services, Call& call) {
  for (const NameHold& hold : co_await services.controller.listNameHolds()) {
    if (hold.name != call.argument() || !canSee(call.principal(), hold.owner)) continue;
    requireAllowed(call, Permission::Configure, hold.owner);
    co_await services.controller.releaseName(hold.name);
    co_return Reply{.status = 204};
  }
  throw Error(ErrorCode::NotFound, format("The name \"{}\" is not reserved.", call.argument()));
}

}  // namespace

std::vector<Endpoint> nameRoutes() {
  return {

      at("GET", "/api/names", Permission::Read, "listNameHolds", listNameHolds,
         {.summary = "List names of deleted instances that are reserved for their owners",
          .description =
              "Browsers may still hold cookies and service workers of the host of a deleted instance; its name stays reserved for a time.",
          .responses = {ok("Names, with the owner and the end of the time", listOf<NameHoldResponse>())}}),
      at("DELETE", "/api/names/{name}", Permission::Configure, "releaseName", releaseName,
         {.summary = "Release a reserved name for all users",
          .description = "Allowed for its former owner and for administrators.",
          .responses = {noContent("All users can take the name")},
          .problems = {404},
          .parameters = {path("name", "The name")}}),
  };
}

}  // namespace swarm::api
