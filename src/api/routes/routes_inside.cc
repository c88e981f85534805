// Routes: what happens inside an instance.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "model/archive.h"

namespace swarm::api {
namespace {

void addArchiveRoutes(std::vector<Endpoint>& table) {
  table.push_back(
      {.method = "GET",
       .pattern = "/api/instances/{id}/export",
       .permission = Permission::UseOwn,
       .operationId = "exportInstance",
       .tag = "inside",
       .summary = "The files of an instance's persistent storages, as a compressed POSIX tar",
       .description = "The instance goes on running. An answer that was cut is not a whole archive, and no tool takes it for one.",
       .handler = exportInstance,
       .answers = {{.status = 200, .description = "The archive", .contentType = kArchiveType, .headers = {"Content-Disposition"}}},
       .problems = {409, 422, 429, 503},
       .parameters = {instanceRef()},
       .kind = RouteKind::Stream});
  table.push_back({.method = "PUT",
                   .pattern = "/api/instances/{id}/import",
                   .permission = Permission::WriteOwn,
                   .operationId = "importInstance",
                   .tag = "inside",
                   .summary = "Replace the files of an instance's storages by those of an archive",
                   .description = "Everything in the running instance is ended, the storages are filled, and VS Code is started again. 409 "
                                  "when a person's files are there, unless `force` is true.",
                   .handler = importInstance,
                   .answers = {{.status = 200, .description = "All is there, and VS Code was started again", .schema = "ImportResult"}},
                   .problems = {409, 422, 429, 503},
                   .parameters = {instanceRef(), ifMatch(), flag("force", "Replace what a person made there, too")},
                   .body = BodyRule::Bytes,
                   .bodyType = kArchiveType,
                   .kind = RouteKind::Stream});
}

void addStreamRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "GET",
                   .pattern = "/api/instances/{id}/exec",
                   .permission = Permission::UseOwn,
                   .operationId = "openExec",
                   .tag = "inside",
                   .summary = "Run a command with streams (WebSocket)",
                   .description = "The frames are those of the agent's exec stream (src/agent/README.md), passed through as bytes.",
                   .handler = openExec,
                   .answers = {{.status = 101, .description = "A WebSocket that speaks the agent's exec frames", .headers = {"Upgrade"}}},
                   .problems = {409, 426, 429, 503},
                   .parameters = {instanceRef()},
                   .kind = RouteKind::Upgrade,
                   .upgrade = "websocket"});
  table.push_back({.method = "GET",
                   .pattern = "/api/instances/{id}/ports/{port}",
                   .permission = Permission::UseOwn,
                   .operationId = "openPort",
                   .tag = "inside",
                   .summary = "Tunnel to a TCP port inside",
                   .description = "After the 101 the connection is the port's, in both directions.",
                   .handler = openPort,
                   .answers = {{.status = 101, .description = "From here on the connection is the port's", .headers = {"Upgrade"}}},
                   .problems = {409, 426, 429, 503},
                   .parameters = {instanceRef(),
                                  {.place = Parameter::Place::Path,
                                   .name = "port",
                                   .kind = Parameter::Kind::Integer,
                                   .description = "A port that listens in the instance",
                                   .minimum = 1,
                                   .maximum = 65'535}},
                   .kind = RouteKind::Upgrade,
                   .upgrade = agent::kTunnelProtocol});
  table.push_back(
      {.method = "GET",
       .pattern = "/api/instances/{id}/logs",
       .permission = Permission::ReadOwn,
       .operationId = "readLogs",
       .tag = "inside",
       .summary = "Read an instance's log",
       .description = "What its processes wrote to standard output and error, oldest first.",
       .handler = readLogs,
       .answers = {{.status = 200, .description = "Text, or one LogLine per line", .contentType = "text/plain; charset=utf-8"},
                   {.status = 200, .schema = "LogLine", .contentType = "application/x-ndjson"}},
       .problems = {409, 429, 503},
       .parameters = {instanceRef(),
                      flag("follow", "Go on with what is logged later"),
                      integer("tail", "Only the last lines", 0, 1'000'000),
                      {.name = "since", .kind = Parameter::Kind::Time, .description = "Only what was logged since this time (RFC 3339)"},
                      choice("format", "text when absent, unless Accept names application/x-ndjson", {"text", "ndjson"})},
       .kind = RouteKind::Stream});
}

}  // namespace

void addInsideRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "POST",
                   .pattern = "/api/instances/{id}/exec",
                   .permission = Permission::UseOwn,
                   .operationId = "executeCommand",
                   .tag = "inside",
                   .summary = "Run a command to its end",
                   .description = "As the user coder, in the home folder. Output beyond 1 MiB is dropped, and `truncated` says so.",
                   .handler = executeCommand,
                   .answers = {{.status = 200, .description = "What it printed, and its exit code", .schema = "CommandResult"}},
                   .problems = {409, 503},
                   .parameters = {instanceRef()},
                   .body = BodyRule::Json,
                   .bodySchema = "ExecuteCommand"});
  table.push_back({.method = "GET",
                   .pattern = "/api/instances/{id}/usage",
                   .permission = Permission::ReadOwn,
                   .operationId = "getResourceUsage",
                   .tag = "inside",
                   .summary = "Resources in use",
                   .description = "Measured at this moment.",
                   .handler = getUsage,
                   .answers = {{.status = 200, .description = "CPU, memory and storage", .schema = "ResourceUsage"}},
                   .problems = {409, 503},
                   .parameters = {instanceRef()}});
  table.push_back({.method = "GET",
                   .pattern = "/api/instances/{id}/network",
                   .permission = Permission::ReadOwn,
                   .operationId = "getNetworkInfo",
                   .tag = "inside",
                   .summary = "Addresses, ports and URLs",
                   .description = "As the provider reports them at this moment.",
                   .handler = getNetwork,
                   .answers = {{.status = 200, .description = "The network", .schema = "NetworkInfo"}},
                   .problems = {409, 503},
                   .parameters = {instanceRef()}});
  table.push_back({.method = "POST",
                   .pattern = "/api/instances/{id}/token",
                   .permission = Permission::UseOwn,
                   .operationId = "issueInstanceToken",
                   .tag = "inside",
                   .summary = "Issue a short-lived token for the instance's agent",
                   .description = "It opens that instance's agent alone, for the scope alone.",
                   .handler = issueToken,
                   .answers = {{.status = 200, .description = "The token", .schema = "InstanceToken"}},
                   .problems = {409, 503},
                   .parameters = {instanceRef()},
                   .body = BodyRule::Json,
                   .bodySchema = "IssueToken"});
  addStreamRoutes(table);
  addArchiveRoutes(table);
}

}  // namespace swarm::api
