// Providers, and the status of the swarm.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

awaitable<ProviderResponse> requireProvider(Services& services, const std::string& name) {
  for (auto& provider : co_await services.controller.listProviders()) {
    if (enumName(provider.type) == name) co_return std::move(provider);
  }
  throw Error(ErrorCode::NotFound, format("There is no provider \"{}\" in this server's configuration.", name));
}

ProviderType typeOf(const Call& call) {
  auto type = enumFromName<ProviderType>(call.argument());
  if (!type) throw Error(ErrorCode::NotFound, format("There is no kind of provider \"{}\".", call.argument()));
  return *type;
}

/// Nothing of the body is kept.
awaitable<std::vector<ValidationCheck>> validateConfiguration(Services& services, Call& call, ProviderType type) {
  if (!services.options.makeProvider)
    throw Error(ErrorCode::Unsupported, "This server only checks its current configuration. Send the request without a body.");
  if (!call.body().is_object())
    throw Error(ErrorCode::InvalidArgument, "The body must be a provider's configuration, a JSON object.")
        .withField("", "must be an object");
  co_return co_await services.controller.validateProvider(
      [make = services.options.makeProvider, type, configuration = call.body().as_object()] { return make(type, configuration); });
}

/// Where the token comes from is shown to those who may read the server.
ProviderResponse visible(ProviderResponse provider, const Call& call) {
  if (!isAllowed(call.principal(), Permission::ReadServer, Relation::Other)) provider.token.reset();
  return provider;
}

awaitable<Reply> listProviders(Services& services, Call& call) {
  std::vector<ProviderResponse> providers = co_await services.controller.listProviders();
  for (ProviderResponse& provider : providers) provider = visible(std::move(provider), call);
  co_return replyWithItems(providers);
}

awaitable<Reply> getProvider(Services& services, Call& call) {
  co_return reply(visible(co_await requireProvider(services, call.argument()), call));
}

awaitable<Reply> setProviderToken(Services& services, Call& call) {
  const ProviderType type = typeOf(call);
  auto request = readBody<SetProviderTokenRequest>(call);
  co_return reply(co_await services.controller.setProviderToken(type, Secret(std::move(request.token)), call.flag("force")));
}

awaitable<Reply> removeProviderToken(Services& services, Call& call) {
  co_return reply(co_await services.controller.removeProviderToken(typeOf(call)));
}

awaitable<Reply> validateProvider(Services& services, Call& call) {
  ProviderValidationResponse response{.type = typeOf(call), .ok = true};
  std::vector<ValidationCheck> results;
  if (call.body().is_null()) {
    results = co_await services.controller.validateProvider((co_await requireProvider(services, call.argument())).type);
  } else {
    results = co_await validateConfiguration(services, call, response.type);
  }
  for (ValidationCheck& check : results) {
    response.ok = response.ok && check.ok;
    response.checks.push_back({std::move(check.name), check.ok, std::move(check.detail)});
  }
  co_return reply(response);
}

awaitable<Reply> getSwarmStatus(Services& services, Call&) { co_return reply(co_await services.controller.getSwarmStatus()); }

Parameter providerType() {
  Parameter parameter = choice<ProviderType>("type", "The kind of provider");
  parameter.location = Parameter::Location::Path;
  return parameter;
}

}  // namespace

std::vector<Endpoint> providerRoutes() {
  return {

      at("GET", "/api/providers", Permission::SignedIn, "listProviders", listProviders,
         {.summary = "List the providers",
          .description = "Those of the current configuration, each with its health.",
          .responses = {ok("All of them", "ProviderList")},
          .budget = Budget::Free}),
      at("GET", "/api/providers/{type}", Permission::SignedIn, "getProvider", getProvider,
         {.summary = "Show a provider",
          .description = "Its health, capabilities and regions, and its number of instances.",
          .responses = {ok<ProviderResponse>("The provider")},
          .parameters = {providerType()},
          .budget = Budget::Free}),
      at("POST", "/api/providers/{type}/validate", Permission::ManageProviders, "validateProvider", validateProvider,
         {.summary = "Check a provider's configuration against the real endpoint",
          .description = "Without a body, the current configuration. With one, that one: it holds contents, not paths of the server, and "
                         "names endpoints of the current configuration, a provider's public one, or one of `[api] validateAddresses`. "
                         "Nothing of it is kept.",
          .responses = {ok<ProviderValidationResponse>("Each check with its result")},
          .problems = {422, 501},
          .parameters = {providerType()},
          .body = optionalJsonBody("ProviderCandidate")}),
      at("PUT", "/api/providers/{type}/token", Permission::ManageUsers, "setProviderToken", setProviderToken,
         {.summary = "Replace the token of a provider's API",
          .description =
              "The provider is requested to confirm it. It is stored sealed, precedes the one of the server's configuration, and "
              "is used from the next request on. No response contains it.",
          .responses = {ok<ProviderToken>("Where the token in use comes from")},
          .problems = {422, 501, 503},
          .parameters = {providerType(), flag("force", "Replace it also while the provider cannot be reached")},
          .body = jsonBody<SetProviderTokenRequest>()}),
      at("DELETE", "/api/providers/{type}/token", Permission::ManageUsers, "removeProviderToken", removeProviderToken,
         {.summary = "Remove the stored token of a provider's API",
          .description = "The one of the server's configuration is used again. Without one, the provider is unavailable.",
          .responses = {ok<ProviderToken>("Where the token in use comes from")},
          .problems = {501},
          .parameters = {providerType()}}),
      at("GET", "/api/swarm/status", Permission::SignedIn, "getSwarmStatus", getSwarmStatus,
         {.summary = "Totals of the whole swarm",
          .description = "Counts of instances, resources in use, and the health of each provider.",
          .responses = {ok<SwarmStatus>("Counts, resources, providers")},
          .budget = Budget::Free}),
  };
}

}  // namespace swarm::api
