// GraphQL's mutations, performed by the handlers of the Machines API.
#include <algorithm>
#include <boost/json/parse.hpp>

#include "emulator/api/facade/facade.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"

namespace swarm::emulator {
namespace {

/// Calls a handler of the Machines API and returns the response's body, for operations that GraphQL calls by another name.
awaitable<json::object> byRest(Core& core, const Call& call, AppPtr app, Handler handler, json::object body,
                               std::vector<std::string> arguments) {
  Call inner = call;
  inner.app = std::move(app);
  inner.document = std::move(body);
  inner.arguments = std::move(arguments);
  Response response = co_await handler(core, inner);
  boost::system::error_code error;
  json::value parsed = json::parse(response.body, error);
  co_return !error && parsed.is_object() ? parsed.as_object() : json::object();
}

json::object appOnly(const AppPtr& app) { return {{"app", {{"id", app->name}, {"name", app->name}}}}; }

awaitable<json::value> allocateAddress(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object body{{"type", textOf(input, "type")}, {"region", textOf(input, "region")}};
  if (std::string network = textOf(input, "network"); !network.empty()) body["network"] = network;
  if (std::string owner = textOf(input, "organizationId"); !owner.empty()) body["org_slug"] = owner;
  if (std::string service = textOf(input, "serviceName"); !service.empty()) body["service_name"] = service;
  json::object made = co_await byRest(core, call, app, assignIp, std::move(body), {app->name});
  auto ip = std::ranges::find(app->ips, textOf(made, "ip"), &IpAssignment::ip);
  if (ip == app->ips.end()) refuse(422, "the address was released again");
  json::value shared = ip->type == "shared_v4" ? json::value(ip->ip) : json::value(nullptr);
  co_return json::object{{"ipAddress", addressNode(*ip)}, {"app", {{"name", app->name}, {"sharedIpAddress", std::move(shared)}}}};
}

awaitable<json::value> releaseAddress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string address = textOf(input, "ip");
  if (address.empty()) address = textOf(input, "ipAddressId");
  co_await byRest(core, call, app, releaseIp, {}, {app->name, address});
  co_return appOnly(app);
}

awaitable<json::value> allocateEgress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string region = textOf(input, "region");
  if (region.empty()) refuse(422, "egress addresses of a single Machine are not emulated: name a region");
  json::object made = co_await byRest(core, call, app, assignIp, {{"type", "egress_pair"}, {"region", region}}, {app->name});
  co_return made["ip_pair"];
}

/// The other address of the pair stays.
awaitable<json::value> releaseEgress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string address = textOf(input, "ip");
  co_await byRest(core, call, app, releaseIp, {}, {app->name, address});
  bool is_v6 = address.contains(':');
  co_return json::object{{"v4", is_v6 ? json::value(nullptr) : json::value(address)},
                         {"v6", is_v6 ? json::value(address) : json::value(nullptr)}};
}

awaitable<json::value> changeSecrets(Core& core, const Call& call, AppPtr app, json::object values) {
  co_await byRest(core, call, app, updateSecrets, {{"values", std::move(values)}}, {app->name});
  co_return json::object{{"app", {{"name", app->name}}}, {"release", nullptr}};
}

awaitable<json::value> setSecrets(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object values;
  const json::array* secrets = arrayOf(input, "secrets");
  for (const json::value& entry : secrets ? *secrets : json::array()) {
    if (const json::object* pair = entry.if_object()) values[textOf(*pair, "key")] = textOf(*pair, "value");
  }
  return changeSecrets(core, call, std::move(app), std::move(values));
}

awaitable<json::value> unsetSecrets(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object values;
  for (const std::string& key : textsOf(input, "keys")) values[key] = nullptr;
  return changeSecrets(core, call, std::move(app), std::move(values));
}

awaitable<json::value> removeApp(Core& core, const Call& call, AppPtr app, json::object) {
  json::object organization = organizationNode(app->organization);
  co_await byRest(core, call, app, deleteApp, {}, {app->name});
  co_return json::object{{"organization", std::move(organization)}};
}

/// Only tokens for deploying one app are emulated.
awaitable<json::value> createToken(Core& core, const Call& call, AppPtr app, json::object) {
  if (variableText(call, {"profile"}) != "deploy") refuse(422, "only the profile deploy is emulated");
  json::object made = co_await byRest(core, call, app, createDeployToken, {{"expiry", variableText(call, {"expiry"})}}, {app->name});
  co_return json::object{{"limitedAccessToken", {{"tokenHeader", textOf(made, "token")}, {"token", textOf(made, "token")}}}};
}

struct Mutation {
  std::string_view name;
  awaitable<json::value> (*perform)(Core& core, const Call& call, AppPtr app, json::object input);
};
constexpr Mutation kMutations[] = {{"allocateIpAddress", allocateAddress},
                                   {"releaseIpAddress", releaseAddress},
                                   {"allocateEgressIpAddress", allocateEgress},
                                   {"releaseEgressIpAddress", releaseEgress},
                                   {"setSecrets", setSecrets},
                                   {"unsetSecrets", unsetSecrets},
                                   {"deleteApp", removeApp},
                                   {"createLimitedAccessToken", createToken}};

/// A mutation has the app's id in its input, among the variables, or among the parameters of a token.
std::string appNamed(const json::object* variables, const json::object& input) {
  if (std::string name = textOf(input, "appId"); !name.empty()) return name;
  if (!variables) return "";
  const json::object* parameters = objectOf(*variables, "profileParams");
  std::string name = parameters ? textOf(*parameters, "app_id") : "";
  return name.empty() ? textOf(*variables, "appId") : name;
}

}  // namespace

awaitable<std::optional<json::value>> mutateGraph(Core& core, const Call& call, std::string name) {
  auto mutation = std::ranges::find(kMutations, name, &Mutation::name);
  if (mutation == std::end(kMutations)) co_return std::nullopt;
  const json::object* variables = call.fields().object("variables");
  const json::object* found = variables ? objectOf(*variables, "input") : nullptr;
  json::object input = found ? *found : json::object();
  AppPtr app = findSeenApp(core, call, appNamed(variables, input));
  if (!app) refuse(404, "Could not find App");
  co_return co_await mutation->perform(core, call, std::move(app), std::move(input));
}

}  // namespace swarm::emulator
