// Routes: providers, operations, events.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"

namespace swarm::api {
namespace {

Parameter providerType() {
  return {.place = Parameter::Place::Path,
          .name = "type",
          .kind = Parameter::Kind::Choice,
          .description = "The kind of provider",
          .choices = {"docker", "flyio", "fake"}};
}

void addProviderRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "GET",
                   .pattern = "/api/providers",
                   .permission = Permission::SignedIn,
                   .operationId = "listProviders",
                   .tag = "swarm",
                   .summary = "List the providers",
                   .description = "Those of the configuration in force, each with its health.",
                   .handler = listProviders,
                   .answers = {{.status = 200, .description = "All of them", .schema = "ProviderList"}}});
  table.push_back({.method = "GET",
                   .pattern = "/api/providers/{type}",
                   .permission = Permission::SignedIn,
                   .operationId = "getProvider",
                   .tag = "swarm",
                   .summary = "Show a provider",
                   .description = "Its health, capabilities and regions, and how many instances are there.",
                   .handler = getProvider,
                   .answers = {{.status = 200, .description = "The provider", .schema = "ProviderDetails"}},
                   .parameters = {providerType()}});
  table.push_back(
      {.method = "POST",
       .pattern = "/api/providers/{type}/validate",
       .permission = Permission::Admin,
       .operationId = "validateProvider",
       .tag = "swarm",
       .summary = "Check a provider's configuration against the real endpoint",
       .description =
           "Without a body, the configuration in force. With one, that one: it holds contents, not paths of the server, and names "
           "endpoints of the configuration in force, Fly's own, or one of `[api] validateAddresses`. Nothing of it is kept.",
       .handler = validateProvider,
       .answers = {{.status = 200, .description = "Each check with its result", .schema = "ProviderValidation"}},
       .problems = {422, 501},
       .parameters = {providerType()},
       .body = BodyRule::OptionalJson,
       .bodySchema = "ProviderCandidate"});
  table.push_back({.method = "GET",
                   .pattern = "/api/swarm/status",
                   .permission = Permission::SignedIn,
                   .operationId = "getSwarmStatus",
                   .tag = "swarm",
                   .summary = "Numbers of the whole swarm",
                   .description = "Counts of instances, resources in use, and the health of each provider.",
                   .handler = getSwarmStatus,
                   .answers = {{.status = 200, .description = "Counts, resources, providers", .schema = "SwarmStatus"}}});
}

void addOperationRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "GET",
                   .pattern = "/api/operations",
                   .permission = Permission::ReadOwn,
                   .operationId = "listOperations",
                   .tag = "operations",
                   .summary = "List operations, newest first",
                   .description = "Those that the caller may see, of the last 30 days.",
                   .handler = listOperations,
                   .answers = {{.status = 200, .description = "A page", .schema = "OperationList"}},
                   .parameters = {text("instance", "Only of this instance (id or name)"),
                                  choice("status", "Only with this status", {"pending", "running", "succeeded", "failed", "cancelled"}),
                                  pageLimit(), pageCursor()}});
  table.push_back({.method = "GET",
                   .pattern = "/api/operations/{id}",
                   .permission = Permission::ReadOwn,
                   .operationId = "getOperation",
                   .tag = "operations",
                   .summary = "Show an operation",
                   .description =
                       "With `wait`, as soon as it has ended, or as it is when the time is over. A failed operation is an answer "
                       "like every other: its `status` and `error` tell.",
                   .handler = getOperation,
                   .answers = {{.status = 200, .description = "Its steps and progress", .schema = "Operation"}},
                   .parameters = {path("id", "The operation's id"), integer("wait", "Seconds to wait for its end", 0, 900)}});
  table.push_back(
      {.method = "DELETE",
       .pattern = "/api/operations/{id}",
       .permission = Permission::WriteOwn,
       .operationId = "cancelOperation",
       .tag = "operations",
       .summary = "Cancel an operation",
       .description = "What it has done is undone. 409 once it has ended, or is about to.",
       .handler = cancelOperation,
       .answers = {{.status = 202, .description = "It will end soon", .schema = "Operation", .headers = {"Operation-Location"}}},
       .problems = {409},
       .parameters = {path("id", "The operation's id")}});
}

}  // namespace

void addSwarmRoutes(std::vector<Endpoint>& table) {
  addProviderRoutes(table);
  addOperationRoutes(table);
  table.push_back({.method = "GET",
                   .pattern = "/api/events",
                   .permission = Permission::ReadOwn,
                   .operationId = "streamEvents",
                   .tag = "events",
                   .summary = "What happens, as server-sent events",
                   .description =
                       "Each event has an id, a name (`event:`) and one line of JSON (`data:`). `reset` says that some were lost: "
                       "read everything again. A comment comes every 15 s.",
                   .handler = streamEvents,
                   .answers = {{.status = 200,
                                .description = "The stream; what stands behind `data:` is an Event",
                                .schema = "Event",
                                .contentType = "text/event-stream"}},
                   .problems = {429},
                   .parameters = {{.place = Parameter::Place::Header,
                                   .name = "Last-Event-ID",
                                   .kind = Parameter::Kind::Integer,
                                   .description = "Goes on after this event",
                                   .maximum = INT64_MAX}},
                   .kind = RouteKind::Stream});
}

}  // namespace swarm::api
