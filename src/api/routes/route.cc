// Finds the route of a path.
#include "api/routes/route.h"

#include <optional>

#include "net/http/http.h"

namespace swarm::api {
namespace {

std::string_view takeSegment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

/// The decoded parameters when `path` has the pattern's form.
std::optional<std::vector<std::string>> matchPattern(std::string_view pattern, std::string_view path) {
  std::vector<std::string> arguments;
  while (!pattern.empty() && !path.empty()) {
    std::string_view wanted = takeSegment(pattern);
    std::string_view found = takeSegment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != found) return std::nullopt;
      continue;
    }
    std::optional<std::string> decoded = net::percentDecode(found);
    if (!decoded || decoded->empty()) return std::nullopt;
    arguments.push_back(std::move(*decoded));
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return arguments;
}

void allow(std::string& list, std::string_view method) {
  if (net::listHasToken(list, method)) return;
  if (!list.empty()) list += ", ";
  list += method;
}

}  // namespace

Recorded recordedOf(const Endpoint& route) {
  if (route.recorded != Recorded::ByMethod) return route.recorded;
  if (route.method != "GET") return Recorded::Change;
  return route.permission == Permission::Inside ? Recorded::Entry : Recorded::Nothing;
}

Match findRoute(const std::vector<Endpoint>& table, std::string_view method, std::string_view path) {
  Match match;
  if (!path.starts_with('/')) return match;
  std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Endpoint& route : table) {
    auto arguments = matchPattern(route.pattern, path);
    if (!arguments) continue;
    if (route.method == wanted) {
      match.route = &route;
      match.arguments = std::move(*arguments);
      return match;
    }
    allow(match.allow, route.method);
    if (route.method == "GET") allow(match.allow, "HEAD");
  }
  if (!match.allow.empty()) allow(match.allow, "OPTIONS");
  return match;
}

}  // namespace swarm::api
