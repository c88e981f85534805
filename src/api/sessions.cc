// Sign-in, sign-out, and who one is.
#include <boost/describe/enum_to_string.hpp>

#include "api/handlers.h"
#include "base/format.h"
#include "model/codec.h"

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
  ObjectReader body(call.body());
  auto user = body.require<std::string>("user");
  Secret password(body.require<std::string>("password"));
  if (user.size() > 256) body.fail("/user", "must have at most 256 characters");
  if (password.reveal().size() > 1024) body.fail("/password", "must have at most 1024 characters");
  body.finish();
  LoginResult result = co_await services.auth.login(user, std::move(password), services.browser.originOf(call.exchange()));
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

}  // namespace swarm::api
