// Apps, their addresses and their secrets.
#include "net/http/http.h"
#include "provider/flyio/api/call_parts.h"
#include "provider/flyio/api/machines_client.h"

namespace swarm::flyio {
namespace {

std::string toString(IpKind kind) {
  switch (kind) {
    case IpKind::SharedV4:
      return "shared_v4";
    case IpKind::PrivateV6:
      return "private_v6";
    case IpKind::V6:
    case IpKind::Other:
      break;
  }
  return "v6";
}

App readApp(const json::value& document) {
  App app;
  app.name = stringAt(document, "name");
  app.machineCount = integerAt(document, "machine_count");
  app.volumeCount = integerAt(document, "volume_count");
  return app;
}

}  // namespace

IpKind IpAddress::kind() const {
  if (ip.starts_with("fdaa:")) return IpKind::PrivateV6;
  if (shared) return IpKind::SharedV4;
  return ip.find(':') == std::string::npos ? IpKind::Other : IpKind::V6;
}

awaitable<FlyResult<void>> MachinesClient::change(FlyCall call, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await transport_.send(std::move(call), deadline);
  if (reply.ok()) co_return FlyResult<void>();
  co_return std::unexpected(transport_.failure(reply, std::move(doing)));
}

awaitable<FlyResult<void>> MachinesClient::changeConfirmed(FlyCall call, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await transport_.send(std::move(call), deadline);
  if (reply.ok() && reply.document.is_object()) co_return FlyResult<void>();
  co_return std::unexpected(transport_.failure(reply, std::move(doing)));
}

awaitable<FlyResult<void>> MachinesClient::createApp(std::string app, Deadline deadline) {
  json::object body{{"name", app}, {"org_slug", organization_}, {"network", app}};
  // The name is unique, so a repeat cannot create a second app.
  return change({Action::CreateApp, app, "POST", "/v1/apps", format("create the app {}", app), std::move(body)}, deadline);
}

awaitable<std::optional<App>> MachinesClient::findApp(std::string app, Deadline deadline) {
  auto found = co_await transport_.find({Action::GetApp, app, "GET", inApp(app, ""), format("look up the app {}", app)}, deadline);
  co_return found ? std::optional(readApp(*found)) : std::nullopt;
}

awaitable<FlyResult<void>> MachinesClient::deleteApp(std::string app, Deadline deadline) {
  return change({Action::DeleteApp,
                 organization_,
                 "DELETE",
                 inApp(app, "?force=true"),
                 format("delete the app {}", app),
                 {},
                 "",
                 Repeat::Safe,
                 std::chrono::seconds(60)},
                deadline);
}

awaitable<std::int64_t> MachinesClient::countApps(Deadline deadline) {
  json::value document =
      co_await transport_.call({Action::ListApps, organization_, "GET", format("/v1/apps?org_slug={}&limit=1", organization_),
                                format("list the apps of the organization {}", organization_)},
                               deadline);
  co_return integerAt(document, "total_apps");
}

awaitable<std::vector<IpAddress>> MachinesClient::listIps(std::string app, Deadline deadline) {
  auto document =
      co_await transport_.find({Action::ListIps, app, "GET", inApp(app, "/ip_assignments"), "list the app's addresses"}, deadline);
  std::vector<IpAddress> found;
  if (!document) co_return found;
  for (const json::value& item : arrayAt(*document, "ips")) found.push_back({stringAt(item, "ip"), boolAt(item, "shared")});
  co_return found;
}

awaitable<FlyResult<void>> MachinesClient::assignIp(std::string app, IpKind kind, Deadline deadline) {
  return changeConfirmed({Action::AssignIp, app, "POST", inApp(app, "/ip_assignments"), format("assign a {} address", toString(kind)),
                          json::object{{"type", toString(kind)}}, "", Repeat::Never, kCallTimeout, tuning().lookFor},
                         deadline);
}

awaitable<FlyResult<void>> MachinesClient::releaseIp(std::string app, std::string ip, Deadline deadline) {
  return change(
      {Action::ReleaseIp, app, "DELETE", inApp(app, "/ip_assignments/" + net::percentEncode(ip)), format("release the address {}", ip)},
      deadline);
}

awaitable<std::int64_t> MachinesClient::setSecrets(std::string app, json::object values, Deadline deadline) {
  json::value document =
      co_await transport_.call({Action::SetSecrets, app, "POST", inApp(app, "/secrets"), "write the app's secrets",
                                json::object{{"values", std::move(values)}}, "", Repeat::Safe, kCallTimeout, tuning().lookFor},
                               deadline);
  std::int64_t version = integerAt(document, "version");
  co_return version != 0 ? version : integerAt(document, "Version");
}

awaitable<std::optional<std::string>> MachinesClient::readSecret(std::string app, std::string name, Deadline deadline) {
  auto document = co_await transport_.find(
      {Action::GetSecret, app, "GET", inApp(app, format("/secrets/{}?show_secrets=true", name)), format("read the app's {}", name)},
      deadline);
  if (!document || !member(*document, "value")) co_return std::nullopt;
  co_return stringAt(*document, "value");
}

}  // namespace swarm::flyio
