// Identity providers, and the people there who have signed in.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "auth/accounts/accounts.h"
#include "base/not_found.h"
#include "oidc/sign_in/identity_providers.h"

namespace swarm::api {
namespace {

awaitable<Reply> listIdentityProviders(Services& services, Call&) {
  std::vector<IdentityProviderResponse> items;
  if (const auto* providers = services.options.identityProviders)
    for (const oidc::ProviderConfig& config : providers->configured())
      items.push_back({config.name, config.title, config.issuer, config.managesRoles()});
  co_return replyWithItems(items);
}

awaitable<Reply> listIdentities(Services& services, Call& call) {
  const std::string name = call.argument() == "me" ? call.principal().user : call.argument();
  if (!co_await services.auth.accounts().find(name)) throw notFound("user", name);
  std::vector<Identity> items;
  if (auto* providers = services.options.identityProviders) items = co_await providers->identitiesOf(name);
  co_return replyWithItems(items);
}

}  // namespace

std::vector<Endpoint> identityRoutes() {
  return {

      at("GET", "/api/identity-providers", Permission::SignedIn, "listIdentityProviders", listIdentityProviders,
         {.summary = "List the identity providers with which people sign in",
          .description = "`managesRoles`: the provider decides the roles of those who sign in with it.",
          .responses = {ok("Providers, as configured", listOf<IdentityProviderResponse>())}}),
      at("GET", "/api/users/{name}/identities", Permission::ManageUsers, "listIdentities", listIdentities,
         {.summary = "Show the claims of a user's last sign-ins by identity providers",
          .description =
              "And what they were mapped to: role, groups, and in `notes` what the claims lacked. Texts are made printable and cut.",
          .responses = {ok("One for each person at a provider who uses the account", listOf<Identity>())},
          .parameters = {path("name", "The user's name, or me")}}),
  };
}

}  // namespace swarm::api
