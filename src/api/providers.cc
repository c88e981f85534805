// Providers and the swarm's status.
#include "api/handlers.h"
#include "base/format.h"
#include "model/codec.h"

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
  auto provider = co_await requireProvider(services, call.argument());
  bool ok = true;
  json::array checks;
  for (const ValidationCheck& check : co_await services.controller.validateProvider(provider.type)) {
    ok = ok && check.ok;
    checks.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  }
  co_return jsonReply(200, json::object{{"type", enumName(provider.type)}, {"ok", ok}, {"checks", std::move(checks)}});
}

awaitable<Reply> getSwarmStatus(Services& services, Call&) {
  co_return jsonReply(200, toJson(co_await services.controller.getSwarmStatus()));
}

}  // namespace swarm::api
