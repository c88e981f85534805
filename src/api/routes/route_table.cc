// The API, subject by subject: each file of api/handlers/ has its routes and what they do. Every route requires exactly one permission.
#include "api/handlers/handlers.h"
#include "api/routes/route.h"

namespace swarm::api {

std::vector<Endpoint> makeRouteTable() {
  using Subject = std::pair<std::vector<Endpoint> (*)(), std::string_view>;
  std::vector<Endpoint> table;
  for (const auto& [routes, tag] : std::initializer_list<Subject>{
           {instanceRoutes, "instances"}, {lifecycleRoutes, "instances"}, {migrateRoutes, "instances"},    {snapshotRoutes, "snapshots"},
           {shareRoutes, "sharing"},      {portRoutes, "sharing"},        {insideRoutes, "inside"},        {logRoutes, "inside"},
           {archiveRoutes, "inside"},     {providerRoutes, "swarm"},      {operationRoutes, "operations"}, {eventRoutes, "events"},
           {sessionRoutes, "auth"},       {programRoutes, "auth"},        {userRoutes, "users"},           {secondFactorRoutes, "users"},
           {groupRoutes, "users"},        {accessTokenRoutes, "users"},   {sshKeyRoutes, "users"},         {identityRoutes, "users"},
           {quotaRoutes, "users"},        {nameRoutes, "instances"},      {auditRoutes, "audit"},          {systemRoutes, "system"},
           {usageRoutes, "usage"}}) {
    for (Endpoint& route : routes()) {
      if (route.tag.empty()) route.tag = tag;
      table.push_back(std::move(route));
    }
  }
  return table;
}

}  // namespace swarm::api
