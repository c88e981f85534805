// What users set for themselves.
#include "api/handlers.h"
#include "model/codec.h"

namespace swarm::api {
namespace {

constexpr std::size_t kLongestGitName = 128;
constexpr std::size_t kLongestGitEmail = 254;

bool isPlainText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '<' || c == '>'; });
}

}  // namespace

awaitable<Reply> getGitIdentity(Services& services, Call& call) {
  co_return jsonReply(200, toJson(co_await services.controller.gitIdentity(call.principal().user)));
}

awaitable<Reply> setGitIdentity(Services& services, Call& call) {
  ObjectReader body(call.body());
  GitIdentity git{body.require<std::string>("name"), body.require<std::string>("email")};
  bool has_address = git.email.find('@') != std::string::npos && git.email.find(' ') == std::string::npos;
  if (git.name.empty() != git.email.empty()) body.fail(git.name.empty() ? "/name" : "/email", "must not be empty when the other is set");
  if (git.name.size() > kLongestGitName || !isPlainText(git.name)) body.fail("/name", "must be at most 128 characters without < and >");
  if (!git.email.empty() && (git.email.size() > kLongestGitEmail || !isPlainText(git.email) || !has_address))
    body.fail("/email", "must be an e-mail address");
  body.finish();
  co_await services.controller.setGitIdentity(call.principal().user, git);
  co_return jsonReply(200, toJson(git));
}

}  // namespace swarm::api
