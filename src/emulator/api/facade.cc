// Answers hold all fields, whatever a query selects: clients skip what they did not select.
#include "emulator/api/facade.h"

#include <boost/json/parse.hpp>
#include <cctype>

#include "base/format.h"
#include "emulator/api/route.h"
#include "emulator/api/shapes.h"
#include "emulator/rules/capacity.h"
#include "emulator/rules/plan.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view takeWord(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && isWord(text[length])) ++length;
  std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

void skipBlanks(std::string_view& text) {
  while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.front())) != 0 || text.front() == ',')) text.remove_prefix(1);
}

/// A whole "(…)" or "{…}" when the text begins with one.
void skipGroup(std::string_view& text, char open, char close) {
  skipBlanks(text);
  if (text.empty() || text.front() != open) return;
  int depth = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == open) ++depth;
    if (text[at] == close && --depth == 0) break;
  }
  text.remove_prefix(std::min(text.size(), at + 1));
}

json::object organizationNode(const std::string& slug) {
  return {{"id", slug},
          {"internalNumericId", 1},
          {"slug", slug},
          {"rawSlug", slug},
          {"name", slug},
          {"type", slug == "personal" ? "PERSONAL" : "SHARED"},
          {"viewerRole", "admin"},
          {"paidPlan", true},
          {"billable", true},
          {"billingStatus", "CURRENT"}};
}

json::object addressNode(const IpAssignment& ip) {
  return {{"id", ip.ip},
          {"address", ip.ip},
          {"type", ip.type},
          {"region", ip.region.empty() ? "global" : ip.region},
          {"createdAt", formatSeconds(ip.createdAt)}};
}

json::object imageNode(const Call& call) {
  const json::object* variables = call.fields().object("variables");
  const json::value* reference = variables ? variables->if_contains("imageRef") : nullptr;
  std::string name = reference && reference->is_string() ? std::string(reference->get_string()) : std::string();
  return {{"id", name}, {"digest", parseImage(name).digest}, {"ref", name}, {"compressedSize", "0"}, {"fullSize", "0"}};
}

json::object appNode(const Call& call, const App& app) {
  json::object shown = appToJson(app);
  json::array addresses;
  json::value shared;
  for (const IpAssignment& ip : app.ips) {
    if (ip.type == "shared_v4") shared = ip.ip;
    addresses.push_back(addressNode(ip));
  }
  return {{"id", app.name},
          {"internalNumericId", app.number},
          {"name", app.name},
          {"hostname", app.name + ".fly.dev"},
          {"appUrl", format("https://{}.fly.dev", app.name)},
          {"deployed", shown.at("status") == "deployed"},
          {"status", shown.at("status")},
          {"platformVersion", "machines"},
          {"version", 1},
          {"network", app.network},
          {"cnameTarget", app.name + ".fly.dev"},
          {"organization", organizationNode(app.organization)},
          {"ipAddresses", {{"nodes", std::move(addresses)}}},
          {"sharedIpAddress", shared},
          {"image", imageNode(call)},
          {"config", {{"definition", json::object()}}}};
}

std::string variable(const Call& call, std::initializer_list<std::string_view> names) {
  const json::object* variables = call.fields().object("variables");
  for (std::string_view name : names) {
    const json::value* value = variables ? variables->if_contains(name) : nullptr;
    if (value && value->is_string()) return std::string(value->get_string());
  }
  return "";
}

json::value appField(const Core& core, const Call& call) {
  AppPtr app = core.world.findApp(variable(call, {"appName", "name", "app"}));
  bool is_seen = app && !app->deleted && call.token && call.token->organization == app->organization;
  return is_seen ? json::value(appNode(call, *app)) : json::value(nullptr);
}

json::value platformField(const Core& core) {
  json::array regions;
  for (const RegionFacts& region : allRegions()) {
    if (!core.capacity.hasRegion(region.code)) continue;
    regions.push_back(json::object{{"name", region.name},
                                   {"code", region.code},
                                   {"latitude", region.latitude},
                                   {"longitude", region.longitude},
                                   {"gatewayAvailable", region.gateway},
                                   {"requiresPaidPlan", false},
                                   {"deprecated", false}});
  }
  return json::object{{"requestRegion", core.options.regions.front()}, {"regions", std::move(regions)}};
}

json::value volumeField(const Core& core, const Call& call) {
  auto found = core.world.volumes.find(variable(call, {"id"}));
  AppPtr app = found == core.world.volumes.end() ? nullptr : found->second->app.lock();
  if (!app || !call.token || call.token->organization != app->organization) return nullptr;
  return json::object{{"id", found->first}, {"state", found->second->state}, {"app", {{"name", app->name}}}};
}

/// Nothing for a field that the emulator does not know.
std::optional<json::value> field(const Core& core, const Call& call, std::string_view name) {
  std::string slug = call.token ? call.token->organization : "";
  if (name == "app") return appField(core, call);
  if (name == "viewer") return json::object{{"__typename", "User"}, {"id", call.owner}, {"email", call.owner}, {"enablePaidHobby", false}};
  if (name == "organization") {
    std::string asked = variable(call, {"slug"});
    return asked.empty() || asked == slug ? json::value(organizationNode(slug)) : json::value(nullptr);
  }
  if (name == "organizations") return json::object{{"nodes", json::array{organizationNode(slug)}}};
  if (name == "platform") return platformField(core);
  if (name == "nearestRegion") return json::object{{"code", core.options.regions.front()}, {"name", core.options.regions.front()}};
  if (name == "volume") return volumeField(core, call);
  return std::nullopt;
}

AppPtr appOfInput(const Core& core, const Call& call, const json::object& input) {
  const json::value* name = input.if_contains("appId");
  AppPtr app = name && name->is_string() ? core.world.findApp(std::string(name->get_string())) : nullptr;
  bool is_seen = app && !app->deleted && call.token && call.token->organization == app->organization;
  return is_seen ? app : nullptr;
}

/// The Machines API's own handler, for what GraphQL calls by another name.
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

json::object secretValues(std::string_view mutation, const json::object& input) {
  json::object values;
  const json::value* list = input.if_contains(mutation == "setSecrets" ? "secrets" : "keys");
  for (const json::value& entry : list && list->is_array() ? list->get_array() : json::array()) {
    if (entry.is_string()) values[entry.get_string()] = nullptr;
    if (entry.is_object()) values[entry.at("key").as_string()] = entry.at("value");
  }
  return values;
}

/// Null: there is no such app. Nothing for a mutation that the emulator does not know.
awaitable<std::optional<json::value>> mutate(Core& core, const Call& call, std::string name) {
  const json::object* variables = call.fields().object("variables");
  const json::value* found = variables ? variables->if_contains("input") : nullptr;
  const json::object input = found && found->is_object() ? found->get_object() : json::object();
  bool is_known = name == "allocateIpAddress" || name == "releaseIpAddress" || name == "setSecrets" || name == "unsetSecrets";
  if (!is_known) co_return std::nullopt;
  AppPtr app = appOfInput(core, call, input);
  if (!app) co_return json::value(nullptr);
  auto text = [&](std::string_view member) {
    const json::value* value = input.if_contains(member);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (name == "allocateIpAddress") {
    json::object made = co_await byRest(core, call, app, assignIp, {{"type", text("type")}, {"region", text("region")}}, {app->name});
    std::string address(made.at("ip").as_string());
    for (const IpAssignment& ip : app->ips) {
      if (ip.ip == address) co_return json::value(json::object{{"ipAddress", addressNode(ip)}, {"app", {{"sharedIpAddress", address}}}});
    }
  }
  if (name == "releaseIpAddress") {
    std::string address = text("ip").empty() ? text("ipAddressId") : text("ip");
    co_await byRest(core, call, app, releaseIp, {}, {app->name, address});
    co_return json::value(json::object{{"app", {{"name", app->name}}}});
  }
  co_await byRest(core, call, app, updateSecrets, {{"values", secretValues(name, input)}}, {app->name});
  co_return json::value(json::object{{"app", {{"name", app->name}}}, {"release", nullptr}});
}

json::object organizationFacts(const std::string& slug) {
  return {{"id", slug},        {"internal_numeric_id", 1},       {"slug", slug},     {"raw_slug", slug},           {"name", slug},
          {"paid_plan", true}, {"personal", slug == "personal"}, {"billable", true}, {"billing_status", "CURRENT"}};
}

}  // namespace

std::vector<GraphSelection> outermostSelections(std::string_view document) {
  std::vector<GraphSelection> found;
  skipBlanks(document);
  takeWord(document);  // query or mutation
  skipBlanks(document);
  takeWord(document);  // its name
  skipGroup(document, '(', ')');
  skipBlanks(document);
  if (document.empty() || document.front() != '{') return found;
  document.remove_prefix(1);
  for (;;) {
    skipBlanks(document);
    std::string_view word = takeWord(document);
    if (word.empty()) return found;
    GraphSelection selection{std::string(word), std::string(word)};
    skipBlanks(document);
    if (!document.empty() && document.front() == ':') {
      document.remove_prefix(1);
      skipBlanks(document);
      selection.name = takeWord(document);
    }
    found.push_back(std::move(selection));
    skipGroup(document, '(', ')');
    skipGroup(document, '{', '}');
  }
}

awaitable<Answer> queryGraph(Core& core, Call& call) {
  json::object data;
  for (const GraphSelection& selection : outermostSelections(call.fields().text("query"))) {
    auto value = field(core, call, selection.name);
    if (!value) value = co_await mutate(core, call, selection.name);
    if (!value)
      co_return jsonAnswer(
          200, json::object{{"errors", json::array{json::object{{"message", format("the emulator has no {}", selection.name)}}}}});
    if (value->is_null()) {
      json::object error{{"message", format("Could not find {}", selection.name)}, {"extensions", {{"code", "NOT_FOUND"}}}};
      co_return jsonAnswer(200, json::object{{"data", {{selection.key, nullptr}}}, {"errors", json::array{std::move(error)}}});
    }
    data[selection.key] = std::move(*value);
  }
  co_return jsonAnswer(200, json::object{{"data", std::move(data)}});
}

awaitable<Answer> listWebOrganizations(Core&, Call& call) {
  std::string slug = call.token ? call.token->organization : "";
  co_return jsonAnswer(200, json::object{{"organizations", json::array{organizationFacts(slug)}}});
}

awaitable<Answer> getWebOrganization(Core&, Call& call) {
  if (!call.token || call.token->organization != call.arguments[0]) refuse(404, "organization not found");
  co_return jsonAnswer(200, json::object{{"organization", organizationFacts(call.arguments[0])}});
}

/// The backends keep no logs.
awaitable<Answer> listWebLogs(Core&, Call&) {
  co_return jsonAnswer(200, json::object{{"data", json::array()}, {"meta", {{"next_token", ""}}}});
}

}  // namespace swarm::emulator
