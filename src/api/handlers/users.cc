// The settings of users.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "model/codec/codec.h"
#include "model/requests.h"

namespace swarm::api {
namespace {

bool isPlainText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '<' || c == '>'; });
}

awaitable<Reply> getGitIdentity(Services& services, Call& call) {
  co_return reply(co_await services.controller.gitIdentity(call.principal().user));
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
  co_return reply(git);
}

}  // namespace

std::vector<Endpoint> userRoutes() {
  return {

      at("GET", "/api/users/me/git-identity", Permission::SignedIn, "getGitIdentity", getGitIdentity,
         {.summary = "Show the author of the user's commits",
          .description = "Both members are empty when it is not set.",
          .responses = {ok<GitIdentity>("Name and e-mail address")},
          .budget = Budget::Free}),
      at("PUT", "/api/users/me/git-identity", Permission::SignedIn, "setGitIdentity", setGitIdentity,
         {.summary = "Set the author of the user's commits in new workspaces",
          .description = "Written to `~/.gitconfig` of homes that lack that file. Two empty members remove it.",
          .responses = {ok<GitIdentity>("The new identity")},
          .body = jsonBody("SetGitIdentity"),
          .budget = Budget::Free}),
  };
}

}  // namespace swarm::api
