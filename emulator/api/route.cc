// The lookup of a request's route.
#include "emulator/api/route.h"

#include "net/http/http.h"

namespace swarm::emulator {
namespace {

/// By Scope: the path of the object that must exist (§2 - §8). Fly serves the web application from another host.
constexpr std::string_view kPaths[] = {
    "", "/v1/apps/{app}", "/v1/apps/{app}", "/api/v1/apps/{app}", "/v1/apps/{app}/machines/{machine}", "/v1/apps/{app}/volumes/{volume}"};

std::vector<Route> allRoutes() {
  std::vector<Route> all;
  for (auto part :
       {appRoutes, addressRoutes, secretRoutes, policyRoutes, certificateRoutes, secretKeyRoutes, machineReadRoutes, machineWriteRoutes,
        machineActRoutes, guestRoutes, leaseRoutes, metadataRoutes, volumeRoutes, platformRoutes, webRoutes}) {
    for (Route& route : part()) all.push_back(std::move(route));
  }
  for (Route& route : all) route.pattern.insert(0, kPaths[static_cast<std::size_t>(route.scope)]);
  return all;
}

std::string_view takeSegment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

bool matchesPath(std::string_view pattern, std::string_view path, std::vector<std::string>& arguments) {
  arguments.clear();
  while (!pattern.empty() && !path.empty()) {
    std::string_view wanted = takeSegment(pattern);
    std::string_view found = takeSegment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != found) return false;
      continue;
    }
    std::optional<std::string> decoded = net::percentDecode(found);
    if (!decoded || decoded->empty()) return false;
    arguments.push_back(std::move(*decoded));
  }
  return pattern.empty() && path.empty();
}

const Route* findRoute(std::string_view method, std::string_view path, std::vector<std::string>& arguments) {
  if (!path.starts_with('/')) return nullptr;
  static const std::vector<Route> kRoutes = allRoutes();
  for (const Route& route : kRoutes) {
    if (route.method == method && matchesPath(route.pattern, path, arguments)) return &route;
  }
  return nullptr;
}

}  // namespace swarm::emulator
