// What users set for themselves.
#include "api/handlers/handlers.h"
#include "model/codec/codec.h"
#include "model/requests.h"

namespace swarm::api {
namespace {

bool isPlainText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '<' || c == '>'; });
}

}  // namespace

awaitable<Reply> getGitIdentity(Services& services, Call& call) {
  co_return jsonReply(200, toJson(co_await services.controller.gitIdentity(call.principal().user)));
}

awaitable<Reply> setGitIdentity(Services& services, Call& call) {
  std::vector<FieldError> faults;
  const auto git = readRequest<GitIdentity>(call.body(), faults);
  bool has_address = git.email.find('@') != std::string::npos && git.email.find(' ') == std::string::npos;
  if (git.name.empty() != git.email.empty())
    faults.push_back({git.name.empty() ? "/name" : "/email", "must not be empty when the other is set"});
  if (!isPlainText(git.name)) faults.push_back({"/name", "must not contain < and >"});
  if (!git.email.empty() && (!isPlainText(git.email) || !has_address)) faults.push_back({"/email", "must be an e-mail address"});
  throwIfAny(std::move(faults));
  co_await services.controller.setGitIdentity(call.principal().user, git);
  co_return jsonReply(200, toJson(git));
}

}  // namespace swarm::api
