// GraphQL: the fields that a document selects, and the queries.
#include "emulator/api/facade/facade.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>
#include <map>

#include "base/text/format.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/capacity.h"
#include "emulator/rules/config/config_view.h"
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

/// A whole "(…)" or "{…}" if the text starts with one.
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

json::value appField(const Core& core, const Call& call) {
  AppPtr app = findSeenApp(core, call, variableText(call, {"appName", "name", "app"}));
  return app ? json::value(appNode(core, call, *app)) : json::value(nullptr);
}

/// All on one page. An organization's id is its slug; apps have no role.
json::value appsField(const Core& core, const Call& call) {
  std::string organization = variableText(call, {"org", "organizationId"});
  bool is_other = !call.token || (!organization.empty() && organization != call.token->organization);
  std::map<std::int64_t, AppPtr> in_order;
  for (const auto& [name, app] : core.world.apps) {
    if (!is_other && variableText(call, {"role"}).empty() && findSeenApp(core, call, name)) in_order[app->number] = app;
  }
  json::array list;
  for (const auto& [number, app] : in_order) list.push_back(appNode(core, call, *app));
  return json::object{{"pageInfo", {{"hasNextPage", false}, {"endCursor", ""}}}, {"nodes", std::move(list)}};
}

json::value machineField(const Core& core, const Call& call) {
  auto found = core.world.machines.find(variableText(call, {"machineId", "id"}));
  AppPtr app = found == core.world.machines.end() ? nullptr : found->second->app.lock();
  if (!app || !findSeenApp(core, call, app->name)) return nullptr;
  return machineNode(core, *found->second, *app);
}

json::value platformField(const Core& core) {
  json::array regions;
  for (const RegionFacts& region : allRegions()) {
    if (core.capacity.hasRegion(region.code)) regions.push_back(regionNode(region));
  }
  return json::object{{"requestRegion", core.options.regions.front()}, {"regions", std::move(regions)}};
}

json::value nearestField(const Core& core) {
  auto region = std::ranges::find(allRegions(), core.options.regions.front(), &RegionFacts::code);
  return region == allRegions().end() ? json::value(nullptr) : json::value(regionNode(*region));
}

json::value volumeField(const Core& core, const Call& call) {
  auto found = core.world.volumes.find(variableText(call, {"id"}));
  AppPtr app = found == core.world.volumes.end() ? nullptr : found->second->app.lock();
  if (!app || !findSeenApp(core, call, app->name)) return nullptr;
  return json::object{{"id", found->first}, {"state", found->second->state}, {"app", {{"name", app->name}}}};
}

json::value organizationField(const Call& call) {
  std::string slug = call.token ? call.token->organization : "";
  std::string requested = variableText(call, {"slug", "orgSlug"});
  if (!requested.empty() && requested != slug) return nullptr;
  json::object organization = organizationNode(slug);
  json::object user{{"id", call.owner}, {"name", call.owner}, {"email", call.owner}};
  json::object member{{"cursor", "1"}, {"node", std::move(user)}, {"role", "ADMIN"}, {"joinedAt", formatSeconds(SystemTime{})}};
  organization["members"] = json::object{{"edges", json::array{std::move(member)}}};
  return organization;
}

/// Empty for a field that the emulator does not support; throws Refusal.
std::optional<json::value> field(const Core& core, const Call& call, std::string_view name) {
  if (name == "app") return appField(core, call);
  if (name == "apps") return appsField(core, call);
  if (name == "appNameAvailable") return json::value(!core.world.findApp(variableText(call, {"appName", "name"})));
  if (name == "machine") return machineField(core, call);
  if (name == "viewer") return json::object{{"__typename", "User"}, {"id", call.owner}, {"email", call.owner}, {"enablePaidHobby", false}};
  if (name == "organization") return organizationField(call);
  if (name == "organizations") return json::object{{"nodes", json::array{organizationNode(call.token ? call.token->organization : "")}}};
  if (name == "platform") return platformField(core);
  if (name == "nearestRegion") return nearestField(core);
  if (name == "volume") return volumeField(core, call);
  if (name == "latestImageDetails") refuse(422, "Unknown repository");  // newer versions of Fly's own images are not emulated
  return std::nullopt;
}

/// The type of a field: "app" has the type App.
std::string typeNamed(std::string_view name) {
  std::string type(name);
  if (!type.empty()) type.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(type.front())));
  return type;
}

/// Converts a refusal of the Machines API to an error of GraphQL.
Response graphRefusal(std::string_view key, const Response& refusal) {
  boost::system::error_code error;
  json::value body = json::parse(refusal.body, error);
  const json::object* object = error ? nullptr : body.if_object();
  std::string message = object ? textOf(*object, "message") : "";
  if (message.empty() && object) message = textOf(*object, "error");
  return graphErrorResponse(key, message, refusal.status == 404 ? "NOT_FOUND" : "UNPROCESSABLE");  // I: the codes
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

Response graphErrorResponse(std::string_view key, std::string_view message, std::string_view code) {
  json::object error{{"message", message}};
  if (!key.empty()) error["path"] = json::array{key};
  if (!code.empty()) error["extensions"] = json::object{{"code", code}};
  json::object body{{"errors", json::array{std::move(error)}}};
  if (!key.empty()) body["data"] = json::object{{key, nullptr}};
  return jsonResponse(200, body);
}

awaitable<Response> queryGraph(Core& core, Call& call) {
  json::object data;
  for (const GraphSelection& selection : outermostSelections(call.fields().text("query"))) {
    std::optional<Response> refused;
    std::optional<json::value> value;
    try {
      value = field(core, call, selection.name);
      if (!value) value = co_await mutateGraph(core, call, selection.name);
    } catch (const Refusal& refusal) {
      refused = graphRefusal(selection.key, refusal.response());
    }
    if (refused) co_return *refused;
    if (!value) co_return graphErrorResponse("", format("the emulator has no {}", selection.name), "");
    if (value->is_null()) co_return graphErrorResponse(selection.key, "Could not find " + typeNamed(selection.name), "NOT_FOUND");
    data[selection.key] = std::move(*value);
  }
  co_return jsonResponse(200, json::object{{"data", std::move(data)}});
}

}  // namespace swarm::emulator
