// Routes: sessions, health, metrics, and this API's own description.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"

namespace swarm::api {
namespace {

void addSessionRoutes(std::vector<Endpoint>& table) {
  table.push_back(
      {.method = "POST",
       .pattern = "/api/auth/login",
       .permission = Permission::Public,
       .operationId = "login",
       .tag = "auth",
       .summary = "Sign in with a password",
       .description = "The token is for `Authorization: Bearer`; browsers get a cookie beside it.",
       .handler = login,
       .answers = {{.status = 200, .description = "A token, and a cookie for a browser", .schema = "Login", .headers = {"Set-Cookie"}}},
       .problems = {401, 403, 429},
       .body = BodyRule::Json,
       .bodySchema = "Credentials"});
  table.push_back({.method = "POST",
                   .pattern = "/api/auth/logout",
                   .permission = Permission::SignedIn,
                   .operationId = "logout",
                   .tag = "auth",
                   .summary = "Sign out: token and cookies become void",
                   .description = "Open streams of the session end within 15 s.",
                   .handler = logout,
                   .answers = {{.status = 204, .description = "Signed out", .headers = {"Set-Cookie"}}}});
  table.push_back({.method = "GET",
                   .pattern = "/api/auth/status",
                   .permission = Permission::SignedIn,
                   .operationId = "authStatus",
                   .tag = "auth",
                   .summary = "Show the signed-in user",
                   .description = "401 without a session.",
                   .handler = authStatus,
                   .answers = {{.status = 200, .description = "User, role and expiry", .schema = "AuthStatus"}}});
  table.push_back({.method = "POST",
                   .pattern = "/api/auth/links",
                   .permission = Permission::SignedIn,
                   .operationId = "createLoginLink",
                   .tag = "auth",
                   .summary = "Make a one-time link that signs a browser in",
                   .description = "The link works once, for 10 minutes, while this session lasts; the browser gets a session of its own.",
                   .handler = createLoginLink,
                   .answers = {{.status = 201, .description = "The link", .schema = "LoginLink"}},
                   .body = BodyRule::OptionalJson,
                   .bodySchema = "CreateLoginLink"});
  table.push_back({.method = "GET",
                   .pattern = "/api/auth/sessions",
                   .permission = Permission::SignedIn,
                   .operationId = "listSessions",
                   .tag = "auth",
                   .summary = "List live sessions",
                   .description = "One's own; administrators see all. `machine`: the command line on the server's machine.",
                   .handler = listSessions,
                   .answers = {{.status = 200, .description = "Sessions", .schema = "SessionList"}}});
  table.push_back({.method = "DELETE",
                   .pattern = "/api/auth/sessions/{session}",
                   .permission = Permission::SignedIn,
                   .operationId = "endSession",
                   .tag = "auth",
                   .summary = "End a session: its token and cookies become void",
                   .description = "Open streams of the session end within 15 s.",
                   .handler = endSession,
                   .answers = {{.status = 204, .description = "It has ended"}},
                   .problems = {404},
                   .parameters = {path("session", "The session's id")}});
}

void addNameRoutes(std::vector<Endpoint>& table) {
  table.push_back(
      {.method = "GET",
       .pattern = "/api/names",
       .permission = Permission::ReadOwn,
       .operationId = "listNameHolds",
       .tag = "instances",
       .summary = "List names of deleted instances that are kept for their owners",
       .description = "Browsers may hold cookies and service workers of a deleted instance's host: its name stays its owner's for a time.",
       .handler = listNameHolds,
       .answers = {{.status = 200, .description = "Names, with the owner and the end of the time", .schema = "NameHoldList"}}});
  table.push_back({.method = "DELETE",
                   .pattern = "/api/names/{name}",
                   .permission = Permission::WriteOwn,
                   .operationId = "releaseName",
                   .tag = "instances",
                   .summary = "Free such a name for everyone",
                   .description = "By its former owner or an administrator.",
                   .handler = releaseName,
                   .answers = {{.status = 204, .description = "Anyone can take it"}},
                   .problems = {404},
                   .parameters = {path("name", "The name")}});
}

void addUserRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "GET",
                   .pattern = "/api/users/me/git-identity",
                   .permission = Permission::SignedIn,
                   .operationId = "getGitIdentity",
                   .tag = "auth",
                   .summary = "Show who the user's commits are by",
                   .description = "Both members are empty where it was not set.",
                   .handler = getGitIdentity,
                   .answers = {{.status = 200, .description = "Name and e-mail address", .schema = "GitIdentity"}}});
  table.push_back({.method = "PUT",
                   .pattern = "/api/users/me/git-identity",
                   .permission = Permission::SignedIn,
                   .operationId = "setGitIdentity",
                   .tag = "auth",
                   .summary = "Set who the user's commits are by in new workspaces",
                   .description = "Written to `~/.gitconfig` of homes that have none. Two empty members remove it.",
                   .handler = setGitIdentity,
                   .answers = {{.status = 200, .description = "As it is now", .schema = "GitIdentity"}},
                   .body = BodyRule::Json,
                   .bodySchema = "SetGitIdentity"});
}

}  // namespace

void addSystemRoutes(std::vector<Endpoint>& table) {
  addSessionRoutes(table);
  addUserRoutes(table);
  addNameRoutes(table);
  table.push_back({.method = "GET",
                   .pattern = "/healthz",
                   .permission = Permission::Public,
                   .operationId = "health",
                   .tag = "system",
                   .summary = "Whether the process answers",
                   .description = "For a supervisor that restarts it.",
                   .handler = health,
                   .answers = {{.status = 200, .description = "It does", .schema = "Health"}}});
  table.push_back({.method = "GET",
                   .pattern = "/readyz",
                   .permission = Permission::Public,
                   .operationId = "ready",
                   .tag = "system",
                   .summary = "Whether the server can work",
                   .description = "For a balancer that sends requests to it.",
                   .handler = ready,
                   .answers = {{.status = 200, .description = "It can", .schema = "Health"}}});
  table.push_back(
      {.method = "GET",
       .pattern = "/metrics",
       .permission = Permission::Admin,
       .operationId = "metrics",
       .tag = "system",
       .summary = "Metrics for Prometheus",
       .description = "With an administrator's token.",
       .handler = metrics,
       .answers = {{.status = 200, .description = "Text exposition format", .contentType = "text/plain; version=0.0.4; charset=utf-8"}}});
  table.push_back({.method = "GET",
                   .pattern = "/api/openapi.json",
                   .permission = Permission::SignedIn,
                   .operationId = "openapi",
                   .tag = "system",
                   .summary = "This document",
                   .description = "Made from the table of routes that the server serves from.",
                   .handler = openapi,
                   .answers = {{.status = 200, .description = "OpenAPI 3.1", .schema = "OpenApiDocument"}}});
  table.push_back({.method = "GET",
                   .pattern = "/api/version",
                   .permission = Permission::SignedIn,
                   .operationId = "version",
                   .tag = "system",
                   .summary = "The server's version",
                   .description = "Versions before 1.0 may change the API with each minor number.",
                   .handler = version,
                   .answers = {{.status = 200, .description = "Name and version", .schema = "Version"}}});
}

}  // namespace swarm::api
