// What instances use, at this moment and over time.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "controller/controller.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

awaitable<Reply> getUsage(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Read);
  auto query = call.query<UsageQuery>();
  const bool has_range = call.text("from") || call.text("to") || call.integer("step");
  if (has_range) co_return reply(co_await services.controller.getUsageHistory(instance.id.str(), std::move(query)));
  co_return reply(UsageResponse{co_await services.controller.getResourceUsage(instance.id.str()), {}});
}

awaitable<Reply> listUsage(Services& services, Call& call) {
  ListInstancesQuery listed;
  listed.limit = call.query<ListUsageQuery>().limit;
  const UsagePage page = co_await services.controller.listUsage(visibleInstances(call, std::move(listed)));
  boost::json::object body{{"items", toJson(page.items)}};
  if (!page.next.empty()) body["nextCursor"] = makeCursor(page.next.str());
  co_return jsonReply(200, std::move(body));
}

}  // namespace

std::vector<Endpoint> usageRoutes() {
  return {
      at("GET", "/api/instances/{id}/usage", Permission::Read, "getResourceUsage", getUsage,
         {.summary = "Resources in use",
          .description = "Measured at this moment; with `from`, `to` or `step`, the last sample, and the history between these times. "
                         "Samples are kept for a day, and their means and maxima over a quarter of an hour for 31 days.",
          .responses = {ok<UsageResponse>("CPU, memory, storage and network")},
          .problems = {400, 409, 503},
          .parameters = listParameters<UsageQuery>({instanceRef()})}),
      at("GET", "/api/usage", Permission::Read, "listUsage", listUsage,
         {.summary = "List what running instances use",
          .description = "The last samples of the instances that the caller may see, in the order of creation. An instance that was not "
                         "sampled since its start is not listed.",
          .responses = {ok("A page", "InstanceUsageList")},
          .parameters = listParameters<ListUsageQuery>()}),
  };
}

}  // namespace swarm::api
