// Sign-in, sign-out, sessions, the signed-in user, and the keys of API tokens.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

awaitable<Reply> login(Services& services, Call& call) {
  auto request = readBody<LoginRequest>(call);
  LoginResult result = co_await services.auth.login(request.user, Secret(std::move(request.password)),
                                                    services.browser.originOf(call.exchange()), std::move(request.code));
  Reply reply = loginReply(result);
  reply.headers = services.browser.begin(call.exchange().head(), result.principal);
  call.signIn(std::move(result.principal));  // for the log
  co_return reply;
}

/// A page that has only the cookie must not get a token.
awaitable<Reply> refreshToken(Services& services, Call& call) {
  if (!call.exchange().head().headers.has("Authorization"))
    throw Error(ErrorCode::PermissionDenied, "Only a token can be refreshed, not a cookie: send it as \"Authorization: Bearer\".");
  const auto result = co_await services.auth.refresh(call.principal());
  if (!result) throw Error(ErrorCode::Unauthenticated, "The session has ended. Sign in again.");
  co_return loginReply(*result);
}

awaitable<Reply> logout(Services& services, Call& call) {
  co_await services.auth.logout(call.principal());
  Reply reply{.status = 204};
  reply.headers = services.browser.end(call.exchange().head());
  co_return reply;
}

awaitable<Reply> authStatus(Services&, Call& call) {
  json::object body = principalJson(call.principal());
  body["authenticated"] = true;
  if (const auto& token = call.principal().token) body["accessToken"] = toJson(*token);
  co_return jsonReply(200, body);
}

/// The link leads to the list of workspaces, or to the given workspace.
awaitable<Reply> createLoginLink(Services& services, Call& call) {
  const std::string instance = call.body().is_null() ? std::string() : readBody<LoginLinkRequest>(call).instance;
  std::string url = format("{}/login/link?code={}", services.browser.address().origin(), services.auth.issueLoginLink(call.principal()));
  if (!instance.empty()) url += "&next=" + net::percentEncode("/auth/instance?host=" + net::percentEncode(instance));
  co_return reply(LoginLinkResponse{std::move(url), services.clock.now() + kLoginLinkLife}, 201);
}

awaitable<Reply> listSessions(Services& services, Call& call) {
  std::vector<SessionResponse> items;
  for (const SessionRecord& session : services.auth.listSessions(""))
    if (isAllowed(call.principal(), Permission::ReadUsers, session.user)) items.push_back(responseOf(session, call));
  co_return replyWithItems(items);
}

awaitable<Reply> endSession(Services& services, Call& call) {
  for (const SessionRecord& session : services.auth.listSessions("")) {
    if (session.id != call.argument() || !isAllowed(call.principal(), Permission::ReadUsers, session.user)) continue;
    requireAllowed(call, Permission::Account, session.user);
    co_await services.auth.endSession(session);
    co_return Reply{.status = 204};
  }
  throw notFound("session", call.argument());
}

SigningKeyResponse signingKeyOf(const TokenKeyInfo& key) { return {key.id, key.createdAt, key.expiresAt}; }

awaitable<Reply> listSigningKeys(Services& services, Call&) {
  std::vector<SigningKeyResponse> items;
  for (const TokenKeyInfo& key : services.auth.tokenKeys()) items.push_back(signingKeyOf(key));
  co_return replyWithItems(items);
}

awaitable<Reply> rotateSigningKey(Services& services, Call&) {
  co_return reply(signingKeyOf(co_await services.auth.rotateTokenKey()), 201);
}

awaitable<Reply> publicKeys(Services& services, Call&) {
  JsonWebKeySet set;
  for (const TokenKeyInfo& key : services.auth.tokenKeys())
    set.keys.push_back({.kty = "OKP", .crv = "Ed25519", .x = toBase64Url(key.publicKey), .kid = key.id, .use = "sig", .alg = "EdDSA"});
  Reply keys = reply(set);
  keys.headers.push_back({"Cache-Control", "public, max-age=300"});
  co_return keys;
}

}  // namespace

SessionResponse responseOf(const SessionRecord& session, const Call& call) {
  SessionResponse response{.id = session.id,
                           .user = session.user,
                           .kind = session.kind,
                           .expiresAt = session.expiresAt,
                           .current = session.id == call.principal().sessionId};
  if (session.createdAt != SystemTime{}) response.createdAt = session.createdAt;
  return response;
}

std::vector<Endpoint> sessionRoutes() {
  return {

      at("POST", "/api/auth/login", Permission::Public, "login", login,
         {.summary = "Sign in with a password",
          .description =
              "The token is for `Authorization: Bearer`; a browser also gets a cookie. 401 with the field `/code` when the user has "
              "a second factor, and its code is missing or wrong; a code counts once.",
          .responses = {ok("A token, and a cookie for a browser", "Login", {"Set-Cookie"})},
          .problems = {401, 403},
          .body = jsonBody<LoginRequest>(),
          .recorded = Recorded::Nothing}),  // Auth records sign-ins
      at("POST", "/api/auth/refresh", Permission::Session, "refreshToken", refreshToken,
         {.summary = "Get a later token of the same session",
          .description = "The session then lasts 7 more days, but at most 90 since its sign-in. The earlier token remains valid until it "
                         "expires. With a token only: 403 with a cookie.",
          .responses = {ok("A token", "Login")}}),
      at("POST", "/api/auth/logout", Permission::Session, "logout", logout,
         {.summary = "Sign out: token and cookies become invalid",
          .description = "Open streams of the session end within a second.",
          .responses = {{.status = 204, .description = "Signed out", .headers = {"Set-Cookie"}}},
          .budget = Budget::Free,
          .recorded = Recorded::Revocation}),
      at("GET", "/api/auth/status", Permission::SignedIn, "authStatus", authStatus,
         {.summary = "Show the signed-in user",
          .description = "With an access token also `accessToken`. 401 without a session or token.",
          .responses = {ok("User, role and expiry", "AuthStatus")},
          .budget = Budget::Free}),
      at("POST", "/api/auth/links", Permission::Session, "createLoginLink", createLoginLink,
         {.summary = "Create a one-time link that signs a browser in",
          .description = "The link works once, for 10 minutes, while this session lasts; the browser gets its own session.",
          .responses = {created<LoginLinkResponse>("The link")},
          .body = optionalJsonBody<LoginLinkRequest>(),
          .budget = Budget::Free}),
      at("GET", "/api/auth/sessions", Permission::ReadUsers, "listSessions", listSessions,
         {.summary = "List live sessions",
          .description = "The caller's own; for administrators and auditors all. `machine`: the command line on the server's machine.",
          .responses = {ok("Sessions", listOf<SessionResponse>())},
          .budget = Budget::Free}),
      at("DELETE", "/api/auth/sessions/{session}", Permission::Account, "endSession", endSession,
         {.summary = "End a session: its token and cookies become invalid",
          .description = "Open streams of the session end within a second.",
          .responses = {noContent("It has ended")},
          .problems = {404},
          .parameters = {path("session", "The session's id")},
          .budget = Budget::Free,
          .recorded = Recorded::Revocation}),
      at("GET", "/api/auth/keys", Permission::ReadServer, "listSigningKeys", listSigningKeys,
         {.summary = "List the keys of API tokens",
          .description = "One without `expiresAt` signs; the others verify until the last token that they signed has expired.",
          .responses = {ok("Keys, from the oldest", listOf<SigningKeyResponse>())}}),
      at("POST", "/api/auth/keys", Permission::ManageUsers, "rotateSigningKey", rotateSigningKey,
         {.summary = "Replace the key that signs API tokens",
          .description =
              "Tokens of the former key remain valid until they expire. The server replaces keys by age ([access] tokenKeyDays).",
          .responses = {created<SigningKeyResponse>("The new key")},
          .problems = {409}}),
      at("GET", "/.well-known/jwks.json", Permission::Public, "publicKeys", publicKeys,
         {.summary = "The public keys of API tokens (RFC 7517)",
          .description = "For programs that verify a token on their own. They cannot see that a session has ended.",
          .responses = {ok<JsonWebKeySet>("The keys")}}),
  };
}

}  // namespace swarm::api
