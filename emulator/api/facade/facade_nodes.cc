// Ids are names: an organization's is its slug, an app's is its name, an address's is the address.
#include "emulator/api/facade/facade.h"

#include "base/text/format.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/rules/config/capacity.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

json::object nodesOf(json::array list) { return {{"nodes", std::move(list)}}; }

json::object egressNode(const IpAssignment& ip) {
  return {{"id", ip.ip},
          {"ip", ip.ip},
          {"version", ip.type == "egress_v4" ? 4 : 6},
          {"region", ip.region},
          {"updatedAt", formatSeconds(ip.createdAt)}};
}

json::object imageNode(const Call& call) {
  std::string name = variableText(call, {"imageRef"});
  return {{"id", name}, {"digest", parseImage(name).digest}, {"ref", name}, {"compressedSize", "0"}, {"fullSize", "0"}};
}

json::array secretNodes(const App& app) {
  json::array list;
  for (const auto& [name, secret] : app.secrets)
    list.push_back(json::object{{"name", name}, {"digest", secretDigest(secret)}, {"createdAt", formatSeconds(secret.createdAt)}});
  return list;
}

json::array machineNodes(const Core& core, const App& app) {
  json::array list;
  for (const auto& [number, machine] : app.machines) {
    if (machine->state != MachineState::destroyed) list.push_back(machineNode(core, *machine, app));
  }
  return list;
}

}  // namespace

std::string variableText(const Call& call, std::initializer_list<std::string_view> names) {
  const json::object* variables = call.fields().object("variables");
  for (std::string_view name : names) {
    if (std::string text = variables ? textOf(*variables, name) : ""; !text.empty()) return text;
  }
  return "";
}

AppPtr findSeenApp(const Core& core, const Call& call, const std::string& name) {
  AppPtr app = core.world.findApp(name);
  bool is_seen = app && !app->deleted && call.token && call.token->organization == app->organization;
  return is_seen ? app : nullptr;
}

json::object organizationNode(const std::string& slug) {
  return {{"id", slug},
          {"internalNumericId", "1"},  // GraphQL's BigInt is a string
          {"slug", slug},
          {"rawSlug", slug},
          {"name", slug},
          {"type", slug == "personal" ? "PERSONAL" : "SHARED"},
          {"viewerRole", "admin"},
          {"paidPlan", true},
          {"billable", true},
          {"billingStatus", "CURRENT"},
          {"addOns", nodesOf({})}};
}

json::object addressNode(const IpAssignment& ip) {
  json::value network;
  if (ip.type == "private_v6") network = json::object{{"name", ip.network}, {"organization", {{"slug", ip.organization}}}};
  return {{"id", ip.ip},
          {"address", ip.ip},
          {"type", ip.type},
          {"region", ip.region.empty() ? "global" : ip.region},
          {"serviceName", ip.serviceName},
          {"network", std::move(network)},
          {"createdAt", formatSeconds(ip.createdAt)}};
}

json::object machineNode(const Core& core, const Machine& machine, const App& app) {
  json::object address{{"family", "v6"}, {"kind", "privatenet"}, {"ip", machine.privateIp}, {"maskSize", 112}};
  json::object shown = machineToJson(core, machine);
  return {{"id", machine.id},
          {"name", machine.name},
          {"state", toString(machine.state)},
          {"region", machine.region},
          {"createdAt", formatSeconds(machine.createdAt)},
          {"config", shown["config"]},
          {"app", {{"id", app.name}, {"name", app.name}, {"organization", organizationNode(app.organization)}}},
          {"ips", nodesOf(json::array{std::move(address)})},
          {"egressIpAddresses", nodesOf({})},  // only those of an app and a region: those of one Machine are deprecated
          {"host", {{"id", machine.host ? machine.host->id : ""}}}};
}

json::object appNode(const Core& core, const Call& call, const App& app) {
  json::array addresses, egress;
  json::value shared;
  for (const IpAssignment& ip : app.ips) {
    if (ip.type == "shared_v4")
      shared = ip.ip;  // clients add it to the addresses
    else if (ip.type.starts_with("egress_"))
      egress.push_back(egressNode(ip));
    else
      addresses.push_back(addressNode(ip));
  }
  // Clients show a network only if it belongs to the app alone.
  json::value network = app.network == "default" ? json::value(nullptr) : json::value(app.network);
  json::object node{{"id", app.name},
                    {"internalNumericId", app.number},
                    {"name", app.name},
                    {"hostname", app.name + ".fly.dev"},
                    {"appUrl", format("https://{}.fly.dev", app.name)},
                    // I: that it means a release, of which the emulator has none; Machines alone do not make an app deployed.
                    {"deployed", false},
                    {"status", appToJson(app).at("status")},
                    {"platformVersion", "machines"},
                    {"version", 0},
                    {"network", network},
                    {"cnameTarget", app.name + ".fly.dev"},
                    {"organization", organizationNode(app.organization)},
                    {"ipAddresses", nodesOf(std::move(addresses))},
                    {"egressIpAddresses", nodesOf(std::move(egress))},
                    {"sharedIpAddress", shared},
                    {"secrets", secretNodes(app)},
                    {"image", imageNode(call)},
                    {"config", {{"definition", json::object()}}},
                    {"hostIssues", nodesOf({})},
                    {"releases", nodesOf({})}};
  // Long, and only few queries need it.
  if (call.fields().text("query").contains("machines")) node["machines"] = nodesOf(machineNodes(core, app));
  return node;
}

json::object regionNode(const RegionFacts& region) {
  return {{"name", region.name},
          {"code", region.code},
          {"latitude", region.latitude},
          {"longitude", region.longitude},
          {"gatewayAvailable", region.gateway},
          {"requiresPaidPlan", false},
          {"deprecated", false}};
}

}  // namespace swarm::emulator
