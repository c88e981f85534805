// Access tokens of users and of service accounts.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/session/access_tokens.h"
#include "base/not_found.h"
#include "model/rules/validation.h"

namespace swarm::api {
namespace {

bool isNamePrefix(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

CreateAccessTokenRequest readTokenRequest(Call& call) {
  std::vector<FieldError> faults;
  auto request = readRequest<CreateAccessTokenRequest>(call.body(), faults);
  if (faults.empty() && !isResourceName(request.name)) faults.push_back({"/name", "must be letters, digits, -, _ and ."});
  if (faults.empty() && !isNamePrefix(request.namePrefix)) faults.push_back({"/namePrefix", "must be a-z, 0-9 and -"});
  throwIfAny(std::move(faults));
  return request;
}

awaitable<Reply> listAccessTokens(Services& services, Call& call) {
  std::vector<AccessToken> tokens = services.auth.accessTokens().list();
  std::erase_if(tokens, [&](const AccessToken& one) { return !isAllowed(call.principal(), Permission::ReadUsers, one.owner); });
  co_return replyWithItems(tokens);
}

awaitable<Reply> createAccessToken(Services& services, Call& call) {
  auto request = readTokenRequest(call);
  AccessToken wanted{.name = std::move(request.name),
                     .owner = co_await credentialOwnerOf(services, call, std::move(request.owner), "creates their own access tokens"),
                     .scopes = std::move(request.scopes),
                     .namePrefix = std::move(request.namePrefix),
                     .maxInstances = request.maxInstances};
  const CreatedAccessToken created =
      co_await services.auth.accessTokens().create(call.principal(), std::move(wanted), std::chrono::hours(24 * request.days));
  boost::json::object body = toJson(created.token).as_object();
  body["token"] = created.secret.reveal();
  co_return jsonReply(201, body);
}

awaitable<Reply> revokeAccessToken(Services& services, Call& call) {
  for (const AccessToken& token : services.auth.accessTokens().list()) {
    if (token.id != call.argument() || !isAllowed(call.principal(), Permission::ReadUsers, token.owner)) continue;
    requireAllowed(call, Permission::Account, token.owner);
    co_await services.auth.accessTokens().revoke(token.id);
    co_return Reply{.status = 204};
  }
  throw notFound("access token", call.argument());
}

}  // namespace

std::vector<Endpoint> accessTokenRoutes() {
  return {

      at("GET", "/api/tokens", Permission::ReadUsers, "listAccessTokens", listAccessTokens,
         {.summary = "List access tokens",
          .description = "Those of the caller; for administrators and auditors all. Without their secrets.",
          .responses = {ok("Tokens, from the oldest", listOf<AccessToken>())}}),
      at("POST", "/api/tokens", Permission::Account, "createAccessToken", createAccessToken,
         {.summary = "Create an access token",
          .description = "For programs. Only this response contains the secret. A token never permits more than its owner's role, and a "
                         "token that creates another one gives it no more than it has.",
          .responses = {{.status = 201, .description = "The token and its secret", .schema = "CreatedAccessToken"}},
          .problems = {409},
          .body = jsonBody<CreateAccessTokenRequest>()}),
      at("DELETE", "/api/tokens/{token}", Permission::Account, "revokeAccessToken", revokeAccessToken,
         {.summary = "Revoke an access token: it becomes invalid at once",
          .description = "With those that it created. Their open streams end within a second.",
          .responses = {noContent("Revoked")},
          .problems = {404},
          .parameters = {path("token", "The token's id")},
          .recorded = Recorded::Revocation}),
  };
}

}  // namespace swarm::api
