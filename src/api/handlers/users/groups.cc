// Groups: sets of users with whom workspaces are shared.
#include "auth/sharing/groups.h"

#include <algorithm>

#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/not_found.h"

namespace swarm::api {
namespace {

/// A group is its members' own.
Relation relationTo(const GroupRecord& group, const Call& call) {
  return std::ranges::binary_search(group.members, call.principal().user) ? Relation::Own : Relation::Other;
}

bool maySee(const Call& call, const GroupRecord& group) {
  return isAllowed(call.principal(), Permission::ReadUsers, relationTo(group, call));
}

/// Members see only the users among them whom they see elsewhere.
GroupResponse responseOf(const Call& call, GroupRecord group) {
  std::erase_if(group.members, [&](const auto& name) { return !isAllowed(call.principal(), Permission::ReadUsers, name); });
  return {std::move(group.name), std::move(group.managedBy), std::move(group.members), group.createdAt};
}

/// The group that the path names, if the caller may see it. Throws Error(NotFound) for unseen ones, as for missing ones.
GroupRecord requireGroup(Services& services, const Call& call) {
  auto group = services.auth.groups().find(call.argument());
  if (!group || !maySee(call, *group)) throw notFound("group", call.argument());
  if (!isAllowed(call.principal(), call.route().permission, relationTo(*group, call)))
    throw Error(ErrorCode::PermissionDenied, std::string(refusalOf(call.principal(), call.route().permission)));
  return std::move(*group);
}

awaitable<Reply> listGroups(Services& services, Call& call) {
  std::vector<GroupResponse> items;
  for (GroupRecord& group : services.auth.groups().list())
    if (maySee(call, group)) items.push_back(responseOf(call, std::move(group)));
  co_return replyWithItems(items);
}

awaitable<Reply> createGroup(Services& services, Call& call) {
  auto request = readBody<CreateGroupRequest>(call);
  GroupRecord group = co_await services.auth.groups().create(std::move(request.name), call.principal());
  Reply made = reply(responseOf(call, group), 201);
  made.headers.push_back({"Location", "/api/groups/" + group.name});
  co_return made;
}

awaitable<Reply> getGroup(Services& services, Call& call) { co_return reply(responseOf(call, requireGroup(services, call))); }

awaitable<Reply> deleteGroup(Services& services, Call& call) {
  co_await services.auth.groups().remove(requireGroup(services, call).name, call.principal());
  co_await services.controller.reloadQuotas();  // without those of the group
  co_return Reply{.status = 204};
}

awaitable<Reply> addMember(Services& services, Call& call) {
  const std::string group = requireGroup(services, call).name;
  co_await services.auth.groups().addMember(group, call.argument(1), call.principal());
  co_return reply(responseOf(call, services.auth.groups().find(group).value_or(GroupRecord{.name = group, .managedBy = ""})));
}

awaitable<Reply> removeMember(Services& services, Call& call) {
  co_await services.auth.groups().removeMember(requireGroup(services, call).name, call.argument(1), call.principal());
  co_return Reply{.status = 204};
}

Parameter nameOfGroup() { return path("name", "The group's name"); }
Parameter memberName() { return path("user", "The user's name"); }

}  // namespace

std::vector<Endpoint> groupRoutes() {
  return {

      at("GET", "/api/groups", Permission::ReadUsers, "listGroups", listGroups,
         {.summary = "List groups",
          .description = "Those that the caller may see: their own, or for administrators and auditors all.",
          .responses = {ok("Groups", listOf<GroupResponse>())}}),
      at("POST", "/api/groups", Permission::ManageUsers, "createGroup", createGroup,
         {.summary = "Create a group of users",
          .description = "It may have the name of a user.",
          .responses = {{.status = 201, .description = "The group", .schema = kSchemaName<GroupResponse>, .headers = {"Location"}}},
          .problems = {409},
          .body = jsonBody<CreateGroupRequest>()}),
      at("GET", "/api/groups/{name}", Permission::ReadUsers, "getGroup", getGroup,
         {.summary = "Show a group",
          .description = "404 for those who are not its members, except administrators and auditors.",
          .responses = {ok<GroupResponse>("The group")},
          .parameters = {nameOfGroup()}}),
      at("DELETE", "/api/groups/{name}", Permission::ManageUsers, "deleteGroup", deleteGroup,
         {.summary = "Delete a group",
          .description = "The shares with it end, and connections that only they allowed end within a second. A later group of this name "
                         "gets none of them.",
          .responses = {noContent("Deleted")},
          .parameters = {nameOfGroup()},
          .recorded = Recorded::Revocation}),
      at("PUT", "/api/groups/{name}/members/{user}", Permission::ManageUsers, "addGroupMember", addMember,
         {.summary = "Add a user to a group",
          .description = "What is shared with the group is shared with them. 409 for a group that an identity provider manages.",
          .responses = {ok<GroupResponse>("The group")},
          .problems = {409},
          .parameters = {nameOfGroup(), memberName()}}),
      at("DELETE", "/api/groups/{name}/members/{user}", Permission::ManageUsers, "removeGroupMember", removeMember,
         {.summary = "Remove a user from a group",
          .description = "Their connections that only shares with the group allowed end within a second. 409 for a group that an identity "
                         "provider manages.",
          .responses = {noContent("They are not a member any more")},
          .problems = {409},
          .parameters = {nameOfGroup(), memberName()},
          .recorded = Recorded::Revocation}),
  };
}

}  // namespace swarm::api
