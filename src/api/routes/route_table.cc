// The API, subject by subject: each file of api/handlers/ has its routes and what they do. Every route requires exactly one permission.
#include <algorithm>

#include "api/handlers/handlers.h"
#include "api/routes/route.h"

namespace swarm::api {

std::vector<Endpoint> makeRouteTable() {
  std::vector<Endpoint> table;
  for (auto routes : {instanceRoutes, lifecycleRoutes, migrateRoutes, snapshotRoutes, insideRoutes, logRoutes, archiveRoutes,
                      providerRoutes, operationRoutes, eventRoutes, sessionRoutes, userRoutes, nameRoutes, systemRoutes})
    std::ranges::move(routes(), std::back_inserter(table));
  return table;
}

}  // namespace swarm::api
