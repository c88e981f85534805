// GraphQL's mutations, performed by the handlers of the Machines API.
#include <algorithm>
#include <boost/json/parse.hpp>

#include "emulator/api/facade/facade.h"
#include "emulator/api/facade/facade_nodes.h"
#include "emulator/api/route.h"

namespace swarm::emulator {
namespace {

/// Calls a handler of the Machines API and returns the response's body, for operations that GraphQL calls by another name.
awaitable<json::object> byRest(Core& core, const Call& call, AppPtr app, Handler handler, json::object body,
                               std::vector<std::string> arguments) {
  Call inner = call;
  inner.app = std::move(app);
  inner.document = std::move(body);
  inner.arguments = std::move(arguments);
  Answer answer = co_await handler(core, inner);
  boost::system::error_code error;
  json::value parsed = json::parse(answer.body, error);
  co_return !error && parsed.is_object() ? parsed.as_object() : json::object();
}

json::object appOnly(const AppPtr& app) { return {{"app", {{"id", app->name}, {"name", app->name}}}}; }

awaitable<json::value> allocateAddress(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object body{{"type", memberText(&input, "type")}, {"region", memberText(&input, "region")}};
  if (std::string network = memberText(&input, "network"); !network.empty()) body["network"] = network;
  if (std::string owner = memberText(&input, "organizationId"); !owner.empty()) body["org_slug"] = owner;
  if (std::string service = memberText(&input, "serviceName"); !service.empty()) body["service_name"] = service;
  json::object made = co_await byRest(core, call, app, assignIp, std::move(body), {app->name});
  auto ip = std::ranges::find(app->ips, memberText(&made, "ip"), &IpAssignment::ip);
  if (ip == app->ips.end()) refuse(422, "the address was released again");
  json::value shared = ip->type == "shared_v4" ? json::value(ip->ip) : json::value(nullptr);
  co_return json::object{{"ipAddress", addressNode(*ip)}, {"app", {{"name", app->name}, {"sharedIpAddress", std::move(shared)}}}};
}

awaitable<json::value> releaseAddress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string address = memberText(&input, "ip");
  if (address.empty()) address = memberText(&input, "ipAddressId");
  co_await byRest(core, call, app, releaseIp, {}, {app->name, address});
  co_return appOnly(app);
}

awaitable<json::value> allocateEgress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string region = memberText(&input, "region");
  if (region.empty()) refuse(422, "egress addresses of a single Machine are not emulated: name a region");
  json::object made = co_await byRest(core, call, app, assignIp, {{"type", "egress_pair"}, {"region", region}}, {app->name});
  co_return made["ip_pair"];
}

/// The other address of the pair stays.
awaitable<json::value> releaseEgress(Core& core, const Call& call, AppPtr app, json::object input) {
  std::string address = memberText(&input, "ip");
  co_await byRest(core, call, app, releaseIp, {}, {app->name, address});
  bool is_v6 = address.contains(':');
  co_return json::object{{"v4", is_v6 ? json::value(nullptr) : json::value(address)},
                         {"v6", is_v6 ? json::value(address) : json::value(nullptr)}};
}

awaitable<json::value> changeSecrets(Core& core, const Call& call, AppPtr app, json::object values) {
  co_await byRest(core, call, app, updateSecrets, {{"values", std::move(values)}}, {app->name});
  co_return json::object{{"app", {{"name", app->name}}}, {"release", nullptr}};
}

const json::array& listOf(const json::object& input, std::string_view name) {
  static const json::array kNothing;
  const json::value* list = input.if_contains(name);
  return list && list->is_array() ? list->get_array() : kNothing;
}

awaitable<json::value> setSecrets(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object values;
  for (const json::value& entry : listOf(input, "secrets")) {
    if (const json::object* pair = entry.if_object()) values[memberText(pair, "key")] = memberText(pair, "value");
  }
  return changeSecrets(core, call, std::move(app), std::move(values));
}

awaitable<json::value> unsetSecrets(Core& core, const Call& call, AppPtr app, json::object input) {
  json::object values;
  for (const json::value& key : listOf(input, "keys")) {
    if (key.is_string()) values[key.get_string()] = nullptr;
  }
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
  co_return json::object{{"limitedAccessToken", {{"tokenHeader", memberText(&made, "token")}, {"token", memberText(&made, "token")}}}};
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
  if (std::string name = memberText(&input, "appId"); !name.empty()) return name;
  const json::value* parameters = variables ? variables->if_contains("profileParams") : nullptr;
  std::string name = memberText(parameters ? parameters->if_object() : nullptr, "app_id");
  return name.empty() ? memberText(variables, "appId") : name;
}

}  // namespace

awaitable<std::optional<json::value>> mutateGraph(Core& core, const Call& call, std::string name) {
  auto mutation = std::ranges::find(kMutations, name, &Mutation::name);
  if (mutation == std::end(kMutations)) co_return std::nullopt;
  const json::object* variables = call.fields().object("variables");
  const json::value* found = variables ? variables->if_contains("input") : nullptr;
  json::object input = found && found->is_object() ? found->get_object() : json::object();
  AppPtr app = findSeenApp(core, call, appNamed(variables, input));
  if (!app) refuse(404, "Could not find App");
  co_return co_await mutation->perform(core, call, std::move(app), std::move(input));
}

}  // namespace swarm::emulator
