// Sign-in, sign-out, and who one is.
#include <boost/describe/enum_to_string.hpp>

#include "api/handlers/handlers.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

json::object principalJson(const Principal& principal) {
  return {{"user", principal.user},
          {"role", boost::describe::enum_to_string(principal.role, "viewer")},
          {"expiresAt", formatTime(principal.expiresAt)}};
}

}  // namespace

awaitable<Reply> login(Services& services, Call& call) {
  auto asked = readBody<LoginRequest>(call);
  LoginResult result =
      co_await services.auth.login(asked.user, Secret(std::move(asked.password)), services.browser.originOf(call.exchange()));
  json::object answer = principalJson(result.principal);
  answer["token"] = result.token.reveal();
  Reply reply = jsonReply(200, answer);
  reply.headers = services.browser.begin(call.exchange().head(), result.principal);
  call.signIn(std::move(result.principal));  // for the log
  co_return reply;
}

awaitable<Reply> logout(Services& services, Call& call) {
  co_await services.auth.logout(call.principal());
  Reply reply{.status = 204};
  reply.headers = services.browser.end(call.exchange().head());
  co_return reply;
}

awaitable<Reply> authStatus(Services&, Call& call) {
  json::object answer = principalJson(call.principal());
  answer["authenticated"] = true;
  co_return jsonReply(200, answer);
}

/// A page of the base host, or the workspace that a link ends in.
awaitable<Reply> createLoginLink(Services& services, Call& call) {
  const std::string instance = call.body().is_null() ? std::string() : readBody<LoginLinkRequest>(call).instance;
  std::string url = format("{}/login/link?code={}", services.browser.address().origin(), services.auth.issueLoginLink(call.principal()));
  if (!instance.empty()) url += "&next=" + net::percentEncode("/auth/instance?host=" + net::percentEncode(instance));
  co_return jsonReply(201, json::object{{"url", url}, {"expiresAt", formatTime(services.clock.now() + kLoginLinkLife)}});
}

awaitable<Reply> listSessions(Services& services, Call& call) {
  json::array items;
  for (const SessionRecord& session : services.auth.listSessions(call.isAdmin() ? "" : call.principal().user)) {
    json::object item{{"id", session.id},
                      {"user", session.user},
                      {"kind", session.kind.empty() ? "unknown" : session.kind},
                      {"expiresAt", formatTime(session.expiresAt)},
                      {"current", session.id == call.principal().sessionId}};
    if (session.createdAt != SystemTime{}) item["createdAt"] = formatTime(session.createdAt);
    items.push_back(std::move(item));
  }
  co_return jsonReply(200, json::object{{"items", std::move(items)}});
}

awaitable<Reply> endSession(Services& services, Call& call) {
  for (const SessionRecord& session : services.auth.listSessions(call.isAdmin() ? "" : call.principal().user)) {
    if (session.id != call.argument()) continue;
    co_await services.auth.endSession(session);
    co_return Reply{.status = 204};
  }
  throw notFound("session", call.argument());
}

}  // namespace swarm::api
