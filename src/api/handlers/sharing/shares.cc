// Shares: the access of other users, and of groups, to an instance.
#include "api/handlers/handlers.h"
#include "api/http/entity_tags.h"
#include "api/routes/route_parts.h"
#include "auth/sharing/groups.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"

namespace swarm::api {
namespace {

ShareResponse responseOf(const ShareRecord& share) {
  ShareResponse response{.access = share.access, .grantedBy = share.grantedBy, .createdAt = share.createdAt, .expiresAt = share.expiresAt};
  (share.grantee.kind == GranteeKind::group ? response.group : response.user) = share.grantee.name;
  return response;
}

bool concerns(Services& services, const Grantee& grantee, const std::string& user) {
  return grantee.kind == GranteeKind::user ? grantee.name == user : services.auth.groups().isMember(grantee.name, user);
}

/// Users with whom it is shared see their own shares: who else uses the workspace is its owner's affair.
awaitable<Reply> listShares(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Read);
  const Relation relation = relationOf(call.principal(), instance.owner, instance.id);
  const bool sees_all = relation == Relation::Own || seesAll(call);
  std::vector<ShareResponse> items;
  for (const ShareRecord& share : services.auth.sharing().sharesOf(instance.id))
    if (sees_all || concerns(services, share.grantee, call.principal().user)) items.push_back(responseOf(share));
  co_return replyWithItems(items);
}

awaitable<Reply> share(Services& services, Call& call, GranteeKind kind) {
  const Instance instance = co_await requireInstance(services, call, Permission::Share);
  const auto request = readBody<ShareRequest>(call);
  const NewShare wanted{instance.id, instance.owner, {kind, call.argument(1)}, request.access, request.expiresAt};
  co_return reply(responseOf(co_await services.auth.sharing().share(wanted, call.principal())));
}

awaitable<Reply> endShare(Services& services, Call& call, GranteeKind kind) {
  const Instance instance = co_await requireInstance(services, call, Permission::Share);
  co_await services.auth.sharing().end(instance.id, {kind, call.argument(1)}, call.principal());
  co_return Reply{.status = 204};
}

awaitable<Reply> putShare(Services& services, Call& call) { return share(services, call, GranteeKind::user); }
awaitable<Reply> deleteShare(Services& services, Call& call) { return endShare(services, call, GranteeKind::user); }
awaitable<Reply> putGroupShare(Services& services, Call& call) { return share(services, call, GranteeKind::group); }
awaitable<Reply> deleteGroupShare(Services& services, Call& call) { return endShare(services, call, GranteeKind::group); }

awaitable<Reply> handOver(Services& services, Call& call) {
  const Instance before = co_await requireInstance(services, call, Permission::Share);
  auto request = readBody<HandOverRequest>(call);
  co_await services.auth.sharing().requireOwner(request.owner, call.principal());
  Instance instance = co_await services.controller.handOver({before.id.str(), call.versions()}, before.owner, request.owner, actorOf(call));
  co_await services.auth.sharing().load();  // without that of its new owner; what the former one has open ends
  log::warning("workspace handed over",
               {{"instance", instance.id.str()}, {"from", before.owner}, {"to", instance.owner}, {"user", call.principal().user}});
  hideSecrets(call, instance);
  Reply reply = api::reply(instance);
  reply.headers.push_back({"ETag", entityTag(instance)});
  co_return reply;
}

Parameter granteeName() { return path("user", "The user's name"); }
Parameter groupName() { return path("group", "The group's name"); }

}  // namespace

std::vector<Endpoint> shareRoutes() {
  return {

      at("GET", "/api/instances/{id}/shares", Permission::Read, "listShares", listShares,
         {.summary = "List the users and groups with which a workspace is shared",
          .description = "A user with whom it is shared sees only their own share and those of their groups.",
          .responses = {ok("The shares, by user, then by group", listOf<ShareResponse>())},
          .parameters = {instanceRef()}}),
      at("PUT", "/api/instances/{id}/shares/{user}", Permission::Share, "putShare", putShare,
         {.summary = "Share a workspace with a user",
          .description =
              "Replaces an earlier share with the user. Connections that the new one does not allow end within a second. 400 for "
              "a user that does not exist, 429 after many of these.",
          .responses = {ok<ShareResponse>("The share")},
          .problems = {409},
          .parameters = {instanceRef(), granteeName()},
          .body = jsonBody<ShareRequest>()}),
      at("DELETE", "/api/instances/{id}/shares/{user}", Permission::Share, "deleteShare", deleteShare,
         {.summary = "End the share with a user",
          .description = "The user's connections to the workspace end within a second.",
          .responses = {noContent("It has ended")},
          .parameters = {instanceRef(), granteeName()},
          .recorded = Recorded::Revocation}),
      at("PUT", "/api/instances/{id}/shares/groups/{group}", Permission::Share, "putGroupShare", putGroupShare,
         {.summary = "Share a workspace with the members of a group",
          .description =
              "Replaces an earlier share with the group, and holds for those who join it later. A user who has several shares has "
              "the most that one of them gives. 400 for a group that does not exist, 429 after many of these.",
          .responses = {ok<ShareResponse>("The share")},
          .problems = {409},
          .parameters = {instanceRef(), groupName()},
          .body = jsonBody<ShareRequest>()}),
      at("DELETE", "/api/instances/{id}/shares/groups/{group}", Permission::Share, "deleteGroupShare", deleteGroupShare,
         {.summary = "End the share with a group",
          .description = "Connections of its members end within a second, unless another share allows them.",
          .responses = {noContent("It has ended")},
          .parameters = {instanceRef(), groupName()},
          .recorded = Recorded::Revocation}),
      at("PUT", "/api/instances/{id}/owner", Permission::Share, "handOver", handOver,
         {.summary = "Give a workspace to another user",
          .description = "With its operations, snapshots and files. Its shares stay; connections of its former owner end within a second, "
                         "unless they may enter it in another way. At the provider, container and volumes keep their labels, and the "
                         "container stays in the network of its former owner until an update replaces it. 409 while it is busy, and "
                         "while a workspace of another user mounts one of its volumes.",
          .responses = {ok("The workspace", "Instance", {"ETag"})},
          .problems = {409},
          .parameters = {instanceRef(), ifMatch()},
          .body = jsonBody<HandOverRequest>()}),
  };
}

}  // namespace swarm::api
