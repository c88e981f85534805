// The API, route by route. Every route asks for exactly one permission.
#include "api/handlers.h"
#include "model/archive.h"

namespace swarm::api {
namespace {

using Kind = Parameter::Kind;
using Place = Parameter::Place;

constexpr std::int64_t kLongestWait = 900;

Parameter path(std::string_view name, std::string_view description) { return {Place::Path, name, Kind::Text, description}; }
Parameter text(std::string_view name, std::string_view description, std::int64_t longest = 256) {
  return {Place::Query, name, Kind::Text, description, 0, longest};
}
Parameter integer(std::string_view name, std::string_view description, std::int64_t minimum, std::int64_t maximum) {
  return {Place::Query, name, Kind::Integer, description, minimum, maximum};
}
Parameter flag(std::string_view name, std::string_view description) { return {Place::Query, name, Kind::Flag, description}; }
Parameter choice(std::string_view name, std::string_view description, std::vector<std::string_view> choices) {
  return {Place::Query, name, Kind::Choice, description, 0, 0, std::move(choices)};
}
Parameter header(std::string_view name, std::string_view description, std::int64_t longest = 256) {
  return {Place::Header, name, Kind::Text, description, 0, longest};
}
Parameter waitSeconds() { return integer("wait", "Seconds to wait for the end of the operation before answering", 0, kLongestWait); }
Parameter pageLimit() { return integer("limit", "Most items of one page; 100 by default", 1, 1000); }
Parameter pageCursor() { return text("cursor", "nextCursor of the page before", 512); }
Parameter instanceRef() { return path("id", "The instance's id or its unique name"); }
Parameter ifMatch() { return header("If-Match", "ETag of the version that the change was made for; 412 when there is a newer one"); }

std::vector<std::string_view> instanceStatuses() {
  return {"creating", "starting", "running", "stopping", "stopped", "failed", "deleting", "deleted"};
}

Answer begun() { return {202, "Begun; operationId tells how it goes on", "StartedInstance"}; }

void addInstanceRoutes(std::vector<Endpoint>& table) {
  table.push_back({"POST",
                   "/api/instances",
                   Permission::WriteOwn,
                   "createInstance",
                   "instances",
                   "Create an instance",
                   createInstance,
                   {begun(), {201, "It runs (with wait)", "StartedInstance"}},
                   {waitSeconds(), header("Idempotency-Key", "Makes a retry safe: the same key gives what it made before", 255)},
                   BodyRule::Json,
                   "CreateInstance"});
  table.push_back({"GET",
                   "/api/instances",
                   Permission::ReadOwn,
                   "listInstances",
                   "instances",
                   "List instances",
                   listInstances,
                   {{200, "A page, in the order of creation", "InstanceList"}},
                   {choice("status", "Only with this status", instanceStatuses()),
                    choice("provider", "Only at this provider", {"docker", "flyio", "fake"}),
                    text("owner", "Only this user's (for admins)"),
                    text("name", "Only the one with this name"),
                    {Place::Query, "label.", Kind::Labels, "label.KEY=VALUE: only with this label"},
                    pageLimit(),
                    pageCursor(),
                    text("fields", "Members to answer with, comma-separated: id,status,config.name", 1024)}});
  table.push_back({"GET",
                   "/api/instances/{id}",
                   Permission::ReadOwn,
                   "getInstance",
                   "instances",
                   "Show an instance",
                   getInstance,
                   {{200, "The instance; its ETag is for If-Match", "Instance"}},
                   {instanceRef(), text("fields", "Members to answer with, comma-separated", 1024)}});
  table.push_back({"PUT",
                   "/api/instances/{id}",
                   Permission::WriteOwn,
                   "updateInstance",
                   "instances",
                   "Change an instance's configuration",
                   updateInstance,
                   {{200, "Done, with its effect", "UpdatedInstance"}, {202, "Begun; operationId tells how it goes on", "UpdatedInstance"}},
                   {instanceRef(), ifMatch(), waitSeconds()},
                   BodyRule::Json,
                   "UpdateInstance"});
  table.push_back({"DELETE",
                   "/api/instances/{id}",
                   Permission::WriteOwn,
                   "deleteInstance",
                   "instances",
                   "Delete an instance",
                   deleteInstance,
                   {begun(), {200, "Deleted (with wait)", "StartedInstance"}},
                   {instanceRef(), flag("volumes", "Delete its persistent volumes too"), waitSeconds()}});
  table.push_back({"POST",
                   "/api/instances/{id}/start",
                   Permission::WriteOwn,
                   "startInstance",
                   "instances",
                   "Start an instance",
                   startInstance,
                   {begun(), {200, "It runs (with wait)", "StartedInstance"}},
                   {instanceRef(), waitSeconds()}});
  table.push_back({"POST",
                   "/api/instances/{id}/stop",
                   Permission::WriteOwn,
                   "stopInstance",
                   "instances",
                   "Stop an instance",
                   stopInstance,
                   {begun(), {200, "It is stopped (with wait)", "StartedInstance"}},
                   {instanceRef(), waitSeconds()}});
  table.push_back({"POST",
                   "/api/instances/{id}/restart",
                   Permission::WriteOwn,
                   "restartInstance",
                   "instances",
                   "Restart an instance",
                   restartInstance,
                   {begun(), {200, "It runs again (with wait)", "StartedInstance"}},
                   {instanceRef(), waitSeconds()}});
  table.push_back({"POST",
                   "/api/instances/{id}/migrate",
                   Permission::WriteOwn,
                   "migrateInstance",
                   "instances",
                   "Move an instance to another provider, region or host, with its files",
                   migrateInstance,
                   {begun(), {200, "It was moved (with wait); or, for a dryRun, a MigrationPlan", "StartedInstanceOrPlan"}},
                   {instanceRef(), waitSeconds()},
                   BodyRule::Json,
                   "MigrateInstance"});
  table.push_back({"POST",
                   "/api/instances/{id}/snapshots",
                   Permission::WriteOwn,
                   "takeSnapshot",
                   "snapshots",
                   "Keep an instance's files as they are now",
                   takeSnapshot,
                   {begun(), {200, "Taken (with wait)", "StartedInstance"}},
                   {instanceRef(), waitSeconds()},
                   BodyRule::Json,
                   "TakeSnapshot"});
  table.push_back({"GET",
                   "/api/instances/{id}/snapshots",
                   Permission::ReadOwn,
                   "listInstanceSnapshots",
                   "snapshots",
                   "List an instance's snapshots, also those that its provider takes by itself",
                   listInstanceSnapshots,
                   {{200, "Ours, and the provider's when it could be asked", "InstanceSnapshots"}},
                   {instanceRef()}});
  table.push_back({"POST",
                   "/api/instances/{id}/restore",
                   Permission::WriteOwn,
                   "restoreSnapshot",
                   "snapshots",
                   "Bring a snapshot's files to an instance; what they were becomes a snapshot",
                   restoreSnapshot,
                   {begun(), {200, "Restored (with wait)", "StartedInstance"}},
                   {instanceRef(), waitSeconds()},
                   BodyRule::Json,
                   "RestoreSnapshot"});
}

void addArchiveRoutes(std::vector<Endpoint>& table) {
  table.push_back({"GET",
                   "/api/instances/{id}/export",
                   Permission::UseOwn,
                   "exportInstance",
                   "inside",
                   "The files of an instance's persistent storages, as a compressed POSIX tar",
                   exportInstance,
                   {{200, "The archive. Without the end of the answer it is not whole", {}, kArchiveType}},
                   {instanceRef()},
                   BodyRule::None,
                   {},
                   RouteKind::Stream});
  table.push_back({"PUT",
                   "/api/instances/{id}/import",
                   Permission::WriteOwn,
                   "importInstance",
                   "inside",
                   "Replace the files of an instance's storages by those of an archive",
                   importInstance,
                   {{200, "All is there, and VS Code was started again", "ImportResult"}},
                   {instanceRef(), flag("force", "Replace what a person made there, too")},
                   BodyRule::Bytes,
                   kArchiveType,
                   RouteKind::Stream});
}

void addInsideRoutes(std::vector<Endpoint>& table) {
  table.push_back({"POST",
                   "/api/instances/{id}/exec",
                   Permission::UseOwn,
                   "executeCommand",
                   "inside",
                   "Run a command to its end",
                   executeCommand,
                   {{200, "What it printed, and its exit code", "CommandResult"}},
                   {instanceRef()},
                   BodyRule::Json,
                   "ExecuteCommand"});
  table.push_back({"GET",
                   "/api/instances/{id}/exec",
                   Permission::UseOwn,
                   "openExec",
                   "inside",
                   "Run a command with streams (WebSocket)",
                   openExec,
                   {{101, "A WebSocket that speaks the agent's exec frames"}},
                   {instanceRef()},
                   BodyRule::None,
                   {},
                   RouteKind::Upgrade,
                   "websocket"});
  table.push_back({"GET",
                   "/api/instances/{id}/ports/{port}",
                   Permission::UseOwn,
                   "openPort",
                   "inside",
                   "Tunnel to a TCP port inside",
                   openPort,
                   {{101, "From here on the connection is the port's"}},
                   {instanceRef(), path("port", "A port that listens in the instance, 1 to 65535")},
                   BodyRule::None,
                   {},
                   RouteKind::Upgrade,
                   "swarm-tunnel"});
  table.push_back({"GET",
                   "/api/instances/{id}/logs",
                   Permission::ReadOwn,
                   "readLogs",
                   "inside",
                   "Read an instance's log",
                   readLogs,
                   {{200, "Text, or with format=ndjson one {\"line\"} per line", {}, "text/plain; charset=utf-8"}},
                   {instanceRef(),
                    flag("follow", "Go on with what is logged later"),
                    integer("tail", "Only the last lines", 0, 1'000'000),
                    {Place::Query, "since", Kind::Time, "Only what was logged since this time (RFC 3339)"},
                    choice("format", "text by default; Accept: application/x-ndjson chooses ndjson too", {"text", "ndjson"})},
                   BodyRule::None,
                   {},
                   RouteKind::Stream});
  table.push_back({"GET",
                   "/api/instances/{id}/usage",
                   Permission::ReadOwn,
                   "getResourceUsage",
                   "inside",
                   "Resources in use",
                   getUsage,
                   {{200, "CPU, memory and storage", "ResourceUsage"}},
                   {instanceRef()}});
  table.push_back({"GET",
                   "/api/instances/{id}/network",
                   Permission::ReadOwn,
                   "getNetworkInfo",
                   "inside",
                   "Addresses, ports and URLs",
                   getNetwork,
                   {{200, "The network", "NetworkInfo"}},
                   {instanceRef()}});
  table.push_back({"POST",
                   "/api/instances/{id}/token",
                   Permission::UseOwn,
                   "issueInstanceToken",
                   "inside",
                   "Issue a short-lived token for the instance's agent",
                   issueToken,
                   {{200, "The token", "InstanceToken"}},
                   {instanceRef()},
                   BodyRule::Json,
                   "IssueToken"});
}

void addSwarmRoutes(std::vector<Endpoint>& table) {
  table.push_back({"GET",
                   "/api/providers",
                   Permission::SignedIn,
                   "listProviders",
                   "swarm",
                   "List the providers",
                   listProviders,
                   {{200, "All of them", "ProviderList"}}});
  table.push_back({"GET",
                   "/api/providers/{type}",
                   Permission::SignedIn,
                   "getProvider",
                   "swarm",
                   "Show a provider",
                   getProvider,
                   {{200, "Health, capabilities, regions, instances", "ProviderDetails"}},
                   {path("type", "docker or flyio")}});
  table.push_back({"POST",
                   "/api/providers/{type}/validate",
                   Permission::Admin,
                   "validateProvider",
                   "swarm",
                   "Check a provider's configuration, that in the body or the one in force, against the real endpoint",
                   validateProvider,
                   {{200, "Each check with its result", "ProviderValidation"}},
                   {path("type", "docker or flyio")},
                   BodyRule::OptionalJson,
                   "Object"});
  table.push_back({"GET",
                   "/api/swarm/status",
                   Permission::SignedIn,
                   "getSwarmStatus",
                   "swarm",
                   "Numbers of the whole swarm",
                   getSwarmStatus,
                   {{200, "Counts, resources, providers", "SwarmStatus"}}});
  table.push_back(
      {"GET",
       "/api/operations",
       Permission::ReadOwn,
       "listOperations",
       "operations",
       "List operations, newest first",
       listOperations,
       {{200, "A page", "OperationList"}},
       {text("instance", "Only of this instance (id or name)"),
        choice("status", "Only with this status", {"pending", "running", "succeeded", "failed", "cancelled"}), pageLimit(), pageCursor()}});
  table.push_back({"GET",
                   "/api/operations/{id}",
                   Permission::ReadOwn,
                   "getOperation",
                   "operations",
                   "Show an operation",
                   getOperation,
                   {{200, "Its steps and progress", "Operation"}},
                   {path("id", "The operation's id")}});
  table.push_back({"DELETE",
                   "/api/operations/{id}",
                   Permission::WriteOwn,
                   "cancelOperation",
                   "operations",
                   "Cancel an operation",
                   cancelOperation,
                   {{202, "It will end soon", "Operation"}},
                   {path("id", "The operation's id")}});
  table.push_back({"GET",
                   "/api/volumes",
                   Permission::ReadOwn,
                   "listVolumes",
                   "volumes",
                   "List volumes, also of deleted instances",
                   listVolumes,
                   {{200, "All that the caller may see", "VolumeList"}}});
  table.push_back({"DELETE",
                   "/api/volumes/{name}",
                   Permission::WriteOwn,
                   "deleteVolume",
                   "volumes",
                   "Delete a volume with its files",
                   deleteVolume,
                   {{204, "Deleted"}},
                   {path("name", "The volume's name")}});
  table.push_back({"GET",
                   "/api/snapshots",
                   Permission::ReadOwn,
                   "listSnapshots",
                   "snapshots",
                   "List snapshots, also of deleted instances",
                   listSnapshots,
                   {{200, "All that the caller may see", "SnapshotList"}}});
  table.push_back({"DELETE",
                   "/api/snapshots/{snapshot}",
                   Permission::WriteOwn,
                   "deleteSnapshot",
                   "snapshots",
                   "Delete a snapshot with its files",
                   deleteSnapshot,
                   {{204, "Deleted"}},
                   {path("snapshot", "The snapshot's id")}});
  table.push_back({"GET",
                   "/api/events",
                   Permission::ReadOwn,
                   "streamEvents",
                   "events",
                   "What happens, as server-sent events",
                   streamEvents,
                   {{200, "Events instance, operation, provider, log; reset when some were lost", {}, "text/event-stream"}},
                   {{Place::Header, "Last-Event-ID", Kind::Integer, "Goes on after this event", 0, INT64_MAX}},
                   BodyRule::None,
                   {},
                   RouteKind::Stream});
}

void addSystemRoutes(std::vector<Endpoint>& table) {
  table.push_back({"POST",
                   "/api/auth/login",
                   Permission::Public,
                   "login",
                   "auth",
                   "Sign in with a password",
                   login,
                   {{200, "A token for the API; the same as a cookie for a browser", "Login"}},
                   {},
                   BodyRule::Json,
                   "Credentials"});
  table.push_back({"POST",
                   "/api/auth/logout",
                   Permission::SignedIn,
                   "logout",
                   "auth",
                   "Sign out: token and cookies become void",
                   logout,
                   {{204, "Signed out"}}});
  table.push_back({"GET",
                   "/api/auth/status",
                   Permission::SignedIn,
                   "authStatus",
                   "auth",
                   "Who one is",
                   authStatus,
                   {{200, "User, role and expiry", "AuthStatus"}}});
  table.push_back(
      {"GET", "/healthz", Permission::Public, "health", "system", "Whether the process answers", health, {{200, "It does", "Health"}}});
  table.push_back({"GET",
                   "/readyz",
                   Permission::Public,
                   "ready",
                   "system",
                   "Whether the server can work",
                   ready,
                   {{200, "It can; 503 with the reason when not", "Health"}}});
  table.push_back({"GET",
                   "/metrics",
                   Permission::Admin,
                   "metrics",
                   "system",
                   "Metrics for Prometheus (with an admin's token)",
                   metrics,
                   {{200, "Text exposition format", {}, "text/plain; version=0.0.4; charset=utf-8"}}});
  table.push_back(
      {"GET", "/api/openapi.json", Permission::SignedIn, "openapi", "system", "This document", openapi, {{200, "OpenAPI 3.1", "Object"}}});
  table.push_back({"GET",
                   "/api/version",
                   Permission::SignedIn,
                   "version",
                   "system",
                   "The server's version",
                   version,
                   {{200, "Name and version", "Version"}}});
}

}  // namespace

std::vector<Endpoint> makeRouteTable() {
  std::vector<Endpoint> table;
  addInstanceRoutes(table);
  addInsideRoutes(table);
  addArchiveRoutes(table);
  addSwarmRoutes(table);
  addSystemRoutes(table);
  return table;
}

}  // namespace swarm::api
