// Sign-in, sign-out, and who one is.
#include "api/handlers.h"
#include "api/session_cookie.h"
#include "base/format.h"
#include "model/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

json::object principalJson(const Principal& principal) {
  return {{"user", principal.user}, {"role", toString(principal.role)}, {"expiresAt", formatTime(principal.expiresAt)}};
}

bool isSecure(Services& services, Call& call) { return services.options.secureCookies || call.exchange().stream().isTls(); }

}  // namespace

std::string_view toString(Role role) {
  switch (role) {
    case Role::viewer:
      return "viewer";
    case Role::user:
      return "user";
    case Role::admin:
      return "admin";
  }
  return "viewer";
}

awaitable<Reply> login(Services& services, Call& call) {
  ObjectReader body(call.body());
  auto user = body.require<std::string>("user");
  Secret password(body.require<std::string>("password"));
  if (user.size() > 256) body.fail("/user", "must have at most 256 characters");
  if (password.reveal().size() > 1024) body.fail("/password", "must have at most 1024 characters");
  body.finish();
  LoginResult result = co_await services.auth.login(user, std::move(password), call.exchange().stream().peerAddress());
  auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(result.principal.expiresAt - services.clock.now());
  json::object answer = principalJson(result.principal);
  answer["token"] = result.token.reveal();
  Reply reply = jsonReply(200, answer);
  reply.headers.push_back({"Set-Cookie", sessionCookie(result.token.reveal(), lifetime, isSecure(services, call))});
  call.signIn(std::move(result.principal), {});  // for the log
  co_return reply;
}

awaitable<Reply> logout(Services& services, Call& call) {
  co_await services.auth.logout(call.principal());
  Reply reply{.status = 204};
  reply.headers.push_back({"Set-Cookie", sessionCookie("", std::chrono::seconds(0), isSecure(services, call))});
  co_return reply;
}

awaitable<Reply> authStatus(Services&, Call& call) {
  json::object answer = principalJson(call.principal());
  answer["authenticated"] = true;
  co_return jsonReply(200, answer);
}

}  // namespace swarm::api
