// Providers and the swarm's status.
#include "api/handlers/handlers.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

json::object providerJson(const SwarmController::ProviderDetails& provider) {
  return {{"type", enumName(provider.type)},
          {"status", enumName(provider.health.status)},
          {"detail", provider.health.detail},
          {"instances", provider.instances},
          {"isDefault", provider.isDefault},
          {"regions", toJson(provider.capabilities.supportedRegions)},
          {"capabilities", toJson(provider.capabilities)}};
}

awaitable<SwarmController::ProviderDetails> requireProvider(Services& services, const std::string& name) {
  for (auto& provider : co_await services.controller.listProviders()) {
    if (enumName(provider.type) == name) co_return std::move(provider);
  }
  throw Error(ErrorCode::NotFound, format("There is no provider \"{}\" in this server's configuration.", name));
}

/// The body is a DockerCandidate or a FlyCandidate; nothing of it is kept.
awaitable<std::vector<ValidationCheck>> validateConfiguration(Services& services, Call& call) {
  auto type = enumFromName<ProviderType>(call.argument());
  if (!type) throw Error(ErrorCode::NotFound, format("There is no kind of provider \"{}\".", call.argument()));
  if (!services.options.makeProvider)
    throw Error(ErrorCode::Unsupported, "This server checks only the configuration in force; send no body.");
  if (!call.body().is_object())
    throw Error(ErrorCode::InvalidArgument, "The body must be a provider's configuration, a JSON object.")
        .withField("", "must be an object");
  co_return co_await services.controller.validateProvider(
      [make = services.options.makeProvider, type = *type, configuration = call.body().as_object()] { return make(type, configuration); });
}

}  // namespace

awaitable<Reply> listProviders(Services& services, Call&) {
  json::array items;
  for (const auto& provider : co_await services.controller.listProviders()) items.push_back(providerJson(provider));
  co_return jsonReply(200, json::object{{"items", std::move(items)}});
}

awaitable<Reply> getProvider(Services& services, Call& call) {
  co_return jsonReply(200, providerJson(co_await requireProvider(services, call.argument())));
}

awaitable<Reply> validateProvider(Services& services, Call& call) {
  std::vector<ValidationCheck> results;
  if (call.body().is_null()) {
    results = co_await services.controller.validateProvider((co_await requireProvider(services, call.argument())).type);
  } else {
    results = co_await validateConfiguration(services, call);
  }
  bool ok = true;
  json::array checks;
  for (const ValidationCheck& check : results) {
    ok = ok && check.ok;
    checks.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  }
  co_return jsonReply(200, json::object{{"type", call.argument()}, {"ok", ok}, {"checks", std::move(checks)}});
}

awaitable<Reply> getSwarmStatus(Services& services, Call&) {
  co_return jsonReply(200, toJson(co_await services.controller.getSwarmStatus()));
}

}  // namespace swarm::api
