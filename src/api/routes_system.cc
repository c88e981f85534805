// Routes: sessions, health, metrics, and this API's own description.
#include "api/handlers.h"
#include "api/route_parts.h"

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
