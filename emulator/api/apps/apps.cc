// Apps (§2).
#include "base/text/format.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/lifecycle.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

bool isAppName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

/// I: the response to a token of another organization; §1's 403 is about an app.
void requireOrganization(const Call& call, std::string_view slug) {
  if (!call.token || call.token->organization != slug) refuseBy("E3");
}

AppPtr findByKey(const Core& core, const std::string& organization, const std::string& key) {
  if (key.empty()) return nullptr;
  for (const auto& [name, app] : core.world.apps) {
    if (app->idempotencyKey == key && app->organization == organization && !app->deleted) return app;
  }
  return nullptr;
}

Response created(const AppPtr& app) {
  json::object body = appToJson(*app);
  body["created_at"] = unixSeconds(app->createdAt);  // the spec's body; fly-go reads the rest
  return jsonResponse(201, body);
}

awaitable<Response> listApps(Core& core, Call& call) {
  auto slug = call.parameter("org_slug");
  if (!slug || slug->empty()) refuse(400, "org_slug is required");  // I: the wording
  requireOrganization(call, *slug);
  Page page = readPage(call, 5000);
  std::map<std::int64_t, AppPtr> in_order;
  for (const auto& [name, app] : core.world.apps) {
    if (app->organization == *slug && !app->deleted) in_order[app->number] = app;
  }
  json::array list;
  json::object body{{"total_apps", in_order.size()}};
  if (auto cursor = addPage(list, in_order, page, [](const App& app) { return std::optional(appToJson(app)); }))
    body["next_cursor"] = *cursor;
  body["apps"] = std::move(list);
  co_return jsonResponse(200, body);
}

awaitable<Response> createApp(Core& core, Call& call) {
  Body fields = call.fields();
  std::string name = fields.text("name");
  if (name.empty()) name = fields.text("app_name");
  std::string organization = fields.text("org_slug");
  if (organization.empty()) refuse(400, "org_slug is required");  // I: the wording
  requireOrganization(call, organization);
  std::string key = fields.text("idempotency_key");
  if (AppPtr first = findByKey(core, organization, key)) {
    if (name.empty() || name == first->name) co_return created(first);
    refuse(422, "idempotency key was used for another app");  // I: status and wording
  }
  if (!isAppName(name)) refuseBy("E27.name");
  if (core.world.findApp(name)) refuseBy("E27");
  auto app = std::make_shared<App>();
  app->id = newAppId();
  app->number = core.world.nextNumber();
  app->name = name;
  app->organization = organization;
  std::string network = fields.text("network");
  app->network = network.empty() ? "default" : network;
  app->idempotencyKey = key;
  app->createdAt = core.now();
  app->visibleAt = core.now() + call.fault.propagation.value_or(core.options.times.appPropagation);
  core.world.add(app);
  core.journal.changed(app);
  co_return created(app);
}

awaitable<Response> getApp(Core&, Call& call) { co_return jsonResponse(200, appToJson(*call.app)); }

}  // namespace

awaitable<Response> deleteApp(Core& core, Call& call) {
  // Fly's own client sends no force, and receives 202 even while Machines run.
  beginAppDelete(core, call.app);
  co_return emptyResponse(202);
}

awaitable<Response> createDeployToken(Core& core, Call& call) {
  std::string expiry = call.fields().text("expiry");
  if (!expiry.empty() && !parseGoDuration(expiry)) refuse(400, format("time: invalid duration \"{}\"", expiry));
  std::string token = "fm2_" + newUlid(core.now()) + newNonce();
  call.app->deployTokens.push_back(token);
  core.journal.changed(call.app);
  co_return jsonResponse(200, json::object{{"token", "FlyV1 " + token}});
}

std::vector<Route> appRoutes() {
  return {
      {"GET", "/v1/apps", "app_list", listApps, Scope::Nothing},
      {"POST", "/v1/apps", "app_create", createApp, Scope::Nothing, required("main.createAppRequest")},
      {"GET", "", "app_get", getApp, Scope::AppItself},
      {"DELETE", "", "app_delete", deleteApp, Scope::AppItself, {}, LeaseGate::Open, Limit::DeleteApp},
      {"POST", "/deploy_token", "deploy_token", createDeployToken, Scope::App, required("main.createDeployTokenRequest")},
  };
}

}  // namespace swarm::emulator
