// Groups: sets of users with whom workspaces are shared (docs/access.md). Administrators change them, or an identity provider.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "auth/sharing/grant_table.h"

namespace swarm {

class Sharing;

/// Of these that an identity provider names for a user, the first ones count.
inline constexpr std::size_t kMaxManagedGroupsOfUser = 200;

/// Thread-safe. A change is durable before it takes effect; the access that it takes away ends with the open connections that used it.
class Groups {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    GrantTable& grants;
    Sharing& sharing;
  };
  explicit Groups(Parts parts) : parts_(parts) {}

  std::vector<GroupRecord> list() const { return parts_.grants.groups(); }  ///< by name
  std::optional<GroupRecord> find(std::string_view name) const { return parts_.grants.group(name); }
  bool isMember(std::string_view group, const std::string& user) const { return parts_.grants.isMember(group, user); }
  std::vector<std::string> groupsOf(std::string_view user) const { return parts_.grants.groupsOf(user); }
  /// Throws Error(InvalidArgument) for a name that a user could not have, Error(AlreadyExists), Error(Conflict) beyond kMaxGroups.
  awaitable<GroupRecord> create(std::string name, const Principal& actor);
  /// With the shares with it, which a later group of this name does not get. Throws Error(NotFound).
  awaitable<void> remove(std::string name, const Principal& actor);
  /// Throws Error(NotFound) for an unknown group, or a user who does not exist or is disabled, Error(Conflict) for a group that an identity
  /// provider manages, and beyond kMaxGroupMembers.
  awaitable<void> addMember(std::string group, std::string user, const Principal& actor);
  awaitable<void> removeMember(std::string group, std::string user, const Principal& actor);

  /// For a sign-in by an identity provider: the user is a member of exactly these of its groups. Names that no group can have, and those of
  /// groups that the provider does not manage, are left out and logged. Throws Error(NotFound) for an unknown user.
  awaitable<void> setManaged(std::string user, std::string provider, std::vector<std::string> names);

 private:
  void reportMember(const std::string& group, const std::string& user, bool is_member) const;

  Parts parts_;
};

}  // namespace swarm
