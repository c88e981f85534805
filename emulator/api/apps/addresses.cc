// IP assignments (§2). Addresses are from unroutable ranges, except for Flycast's fdaa: prefix.
#include <algorithm>

#include "base/text/format.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::string_view kSharedAddress = "198.18.0.1";  // one for all apps, as on Fly

IpAssignment makeIp(const Core& core, const App& app, std::string type, const Body& fields) {
  IpAssignment ip;
  ip.type = std::move(type);
  ip.region = fields.text("region");
  ip.serviceName = fields.text("service_name");
  ip.organization = app.organization;
  ip.createdAt = core.now();
  if (ip.type == "shared_v4") ip.ip = kSharedAddress;
  if (ip.type == "v4" || ip.type == "egress_v4") ip.ip = publicAddressV4();
  if (ip.type == "v6" || ip.type == "egress_v6") ip.ip = publicAddressV6();
  if (ip.type == "private_v6") {
    std::string network = fields.text("network");
    ip.network = network.empty() ? "default" : network;  // §2: not defaulted to the app's network
    ip.ip = flycastAddress(app.organization, ip.network);
  }
  return ip;
}

void checkAssignment(const Core& core, const App& app, const std::string& type, const Body& fields) {
  static constexpr std::string_view kTypes[] = {"v4", "v6", "shared_v4", "private_v6", "egress_v4", "egress_v6", "egress_pair"};
  if (std::ranges::find(kTypes, type) == std::end(kTypes)) refuse(400, format("invalid IP type: {}", type));  // I: the wording
  if (type == "shared_v4" && !fields.text("region").empty()) refuse(400, "region selection is not supported for this IP type");
  // I: status and wording; an egress address is one region's.
  std::string region = fields.text("region");
  if (!region.empty() && region != "global" && !core.capacity.hasRegion(region)) refuse(400, format("unknown region: {}", region));
  if (std::string slug = fields.text("org_slug"); !slug.empty() && (type == "shared_v4" || slug != app.organization)) {
    refuse(400, "organization not found");
  }
}

awaitable<Response> listIps(Core&, Call& call) {
  json::array list;
  for (const IpAssignment& ip : call.app->ips) list.push_back(ipToJson(ip));
  co_return jsonResponse(200, json::object{{"ips", std::move(list)}});
}

}  // namespace

awaitable<Response> assignIp(Core& core, Call& call) {
  Body fields = call.fields();
  std::string type = fields.text("type");
  App& app = *call.app;
  checkAssignment(core, app, type, fields);
  if (type == "egress_pair") {
    IpAssignment v4 = makeIp(core, app, "egress_v4", fields), v6 = makeIp(core, app, "egress_v6", fields);
    json::object body = ipToJson(v4);
    body["ip_pair"] = {{"v4", v4.ip}, {"v6", v6.ip}};
    app.ips.push_back(std::move(v4));
    app.ips.push_back(std::move(v6));
    core.journal.changed(call.app);
    co_return jsonResponse(200, body);
  }
  // I: a second shared address is the first one.
  auto same = std::ranges::find_if(app.ips, [&](const IpAssignment& ip) { return type == "shared_v4" && ip.type == type; });
  if (same == app.ips.end()) same = app.ips.insert(app.ips.end(), makeIp(core, app, type, fields));
  core.journal.changed(call.app);
  core.servicesChanged();
  co_return jsonResponse(200, ipToJson(*same));
}

awaitable<Response> releaseIp(Core& core, Call& call) {
  const std::string& address = call.arguments[1];
  if (std::erase_if(call.app->ips, [&](const IpAssignment& ip) { return ip.ip == address; }) == 0)
    refuse(404, "ip not found");  // I: the wording
  core.journal.changed(call.app);
  core.servicesChanged();
  co_return emptyResponse(204);
}

std::vector<Route> addressRoutes() {
  return {
      {"GET", "/ip_assignments", "ip_list", listIps},
      {"POST", "/ip_assignments", "ip_assign", assignIp, Scope::App, required("main.assignIPRequest")},
      {"DELETE", "/ip_assignments/{ip}", "ip_release", releaseIp},
  };
}

}  // namespace swarm::emulator
