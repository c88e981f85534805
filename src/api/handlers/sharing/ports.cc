// Ports: who opens them in a browser.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/text/number.h"

namespace swarm::api {
namespace {

PortRules rulesOf(Services& services, const Instance& instance) {
  const std::shared_ptr<const RouteTable> table = services.controller.routes().current();
  const auto found = table->find(instance.config.name);
  const bool has_any = found != table->end() && found->second->instanceId == instance.id && found->second->ports;
  if (!has_any) return {};
  PortRules rules = *found->second->ports;
  std::erase_if(rules, [now = services.clock.now()](const auto& one) { return one.second.expiresAt && *one.second.expiresAt <= now; });
  return rules;
}

PortResponse responseOf(Services& services, const Instance& instance, std::uint16_t port, const PortRule& rule) {
  const PublicAddress& address = services.browser.address();
  return {port, rule.level, rule.expiresAt, address.publicOriginOf(address.hosts().hostOf(instance.config.name, port)) + "/"};
}

awaitable<Reply> listPorts(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Read);
  std::vector<PortResponse> items;
  for (const auto& [port, rule] : rulesOf(services, instance)) items.push_back(responseOf(services, instance, port, rule));
  co_return replyWithItems(items);
}

/// Who may give a level may also take it away.
awaitable<void> setRule(Services& services, Call& call, const Instance& instance, std::uint16_t port, PortRule rule) {
  const PortRules rules = rulesOf(services, instance);
  const auto present = rules.find(port);
  for (const PortLevel level : {present == rules.end() ? PortLevel::owner : present->second.level, rule.level})
    requireAllowed(call, permissionToSet(level), instance.owner, instance.id);
  co_await services.controller.setPort(instance.id.str(), port, rule);
}

std::uint16_t portOf(const Call& call) {
  const std::uint16_t port = parseNumber<std::uint16_t>(call.argument(1)).value_or(0);
  if (port == 0) throw Error(ErrorCode::InvalidArgument, "The port must be a number from 1 to 65535.");
  return port;
}

awaitable<Reply> putPort(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Inside);
  const std::uint16_t port = portOf(call);
  const auto request = readBody<PortLevelRequest>(call);
  const PortRule rule{request.level, request.level == PortLevel::owner ? std::nullopt : request.expiresAt};
  co_await setRule(services, call, instance, port, rule);
  co_return reply(responseOf(services, instance, port, rule));
}

awaitable<Reply> deletePort(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Inside);
  co_await setRule(services, call, instance, portOf(call), {});
  co_return Reply{.status = 204};
}

Parameter portNumber() {
  return {.location = Parameter::Location::Path,
          .name = "port",
          .kind = Parameter::Kind::Integer,
          .description = "A TCP port of the instance",
          .minimum = 1,
          .maximum = 65'535};
}

}  // namespace

std::vector<Endpoint> portRoutes() {
  return {

      at("GET", "/api/instances/{id}/ports", Permission::Read, "listPorts", listPorts,
         {.summary = "List the ports that others than the owner may open in a browser",
          .description = "All other ports have the level `owner`.",
          .responses = {ok("The ports, by number", listOf<PortResponse>())},
          .parameters = {instanceRef()}}),
      at("PUT", "/api/instances/{id}/ports/{port}", Permission::Inside, "putPort", putPort,
         {.summary = "Set who may open a port in a browser",
          .description = "`signed-in` and `public` require the permission configure, also to replace them. Connections that the new level "
                         "does not allow end within a second.",
          .responses = {ok<PortResponse>("The port")},
          .problems = {409},
          .parameters = {instanceRef(), portNumber()},
          .body = jsonBody<PortLevelRequest>()}),
      at("DELETE", "/api/instances/{id}/ports/{port}", Permission::Inside, "deletePort", deletePort,
         {.summary = "Let only the owner open a port in a browser",
          .description = "Connections of others end within a second.",
          .responses = {noContent("Only the owner may open it")},
          .problems = {409},
          .parameters = {instanceRef(), portNumber()}}),
  };
}

}  // namespace swarm::api
