// What another user may do with an instance that is shared with them, and with whom it is shared.
#pragma once

#include <boost/describe.hpp>
#include <compare>
#include <string>

namespace swarm {

/// viewer: sees the instance, its state and its log. editor: enters it, too.
enum class ShareAccess { viewer, editor };
BOOST_DESCRIBE_ENUM(ShareAccess, viewer, editor)

enum class GranteeKind { user, group };
BOOST_DESCRIBE_ENUM(GranteeKind, user, group)

/// With whom an instance is shared. A user and a group may have the same name.
struct Grantee {
  GranteeKind kind = GranteeKind::user;
  std::string name;
  static Grantee ofUser(std::string name) { return {GranteeKind::user, std::move(name)}; }
  static Grantee ofGroup(std::string name) { return {GranteeKind::group, std::move(name)}; }
  friend auto operator<=>(const Grantee&, const Grantee&) = default;
};

}  // namespace swarm
