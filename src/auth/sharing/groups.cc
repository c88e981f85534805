#include "auth/sharing/groups.h"

#include <algorithm>

#include "auth/accounts/names.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"

namespace swarm {

void Groups::reportMember(const std::string& group, const std::string& user, bool is_member) const {
  for (const ShareRecord& share : parts_.grants.sharesWith(Grantee::ofGroup(group)))
    parts_.sharing.report(Sharing::Report{share, is_member ? Sharing::Change::Granted : Sharing::Change::Ended, {user}, user});
}

awaitable<GroupRecord> Groups::create(std::string name, const Principal& actor) {
  const std::string by = actor.user;
  requireAccountName("group", name);
  GroupRecord group{.name = name, .managedBy = "", .createdAt = parts_.clock.now()};
  co_await parts_.store.insertGroup(group);
  co_await parts_.sharing.load();
  log::info("group created", {{"group", name}, {"user", by}});
  co_return group;
}

awaitable<void> Groups::remove(std::string name, const Principal& actor) {
  const std::string by = actor.user;
  const std::vector<std::string> members = find(name).value_or(GroupRecord()).members;
  const std::vector<ShareRecord> ended = parts_.grants.sharesWith(Grantee::ofGroup(name));
  co_await parts_.store.deleteGroup(name);
  co_await parts_.sharing.load();
  log::info("group deleted", {{"group", name}, {"user", by}});
  for (const ShareRecord& share : ended) parts_.sharing.report(Sharing::Report{share, Sharing::Change::Ended, members});
}

awaitable<void> Groups::addMember(std::string group, std::string user, const Principal& actor) {
  const std::string by = actor.user;
  co_await parts_.store.addGroupMember(group, user);
  co_await parts_.sharing.load();
  log::info("member added to a group", {{"group", group}, {"member", user}, {"user", by}});
  reportMember(group, user, /*is_member=*/true);
}

awaitable<void> Groups::removeMember(std::string group, std::string user, const Principal& actor) {
  const std::string by = actor.user;
  co_await parts_.store.removeGroupMember(group, user);
  co_await parts_.sharing.load();
  log::info("member removed from a group", {{"group", group}, {"member", user}, {"user", by}});
  reportMember(group, user, /*is_member=*/false);
}

awaitable<void> Groups::setManaged(std::string user, std::string provider, std::vector<std::string> names) {
  const std::vector<GroupRecord> groups = list();
  std::vector<std::string> taken;
  std::erase_if(names, [&](const std::string& name) {
    if (!isAccountName(name)) return true;
    const auto group = std::ranges::find(groups, name, &GroupRecord::name);
    if (group == groups.end() || group->managedBy == provider) return false;
    taken.push_back(name);
    return true;
  });
  for (const std::string& name : taken)
    log::info("group of an identity provider left out: a group of this name exists", {{"group", name}, {"provider", provider}});
  if (names.size() > kMaxManagedGroupsOfUser) names.resize(kMaxManagedGroupsOfUser);
  if (!co_await parts_.store.setManagedGroups(user, provider, std::move(names), parts_.clock.now())) co_return;
  co_await parts_.sharing.load();
  log::info("groups of a user set by an identity provider", {{"member", user}, {"provider", provider}});
}

}  // namespace swarm
