// The API, route by route. Every route asks for exactly one permission.
#include "api/routes/route_parts.h"

namespace swarm::api {

std::vector<Endpoint> makeRouteTable() {
  std::vector<Endpoint> table;
  addInstanceRoutes(table);
  addSnapshotRoutes(table);
  addInsideRoutes(table);
  addSwarmRoutes(table);
  addSystemRoutes(table);
  return table;
}

}  // namespace swarm::api
