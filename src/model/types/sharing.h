// What is shared of an instance, and with whom: shares, and levels of its ports (docs/adr/0014-levels-of-ports.md).
#pragma once

#include <boost/describe.hpp>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"

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

/// What the caller of the API may do with an instance.
struct InstanceAccess {
  std::string owner{};
  bool mayEnter = false;
  bool entryIsRecorded = false;  ///< of an administrator into another user's workspace
};
BOOST_DESCRIBE_STRUCT(InstanceAccess, (), (owner, mayEnter, entryIsRecorded))

/// Who opens a port in a browser. owner: the owner. shared: who may open the workspace. signedIn: every user of the server. everyone:
/// without a sign-in. In JSON: "owner", "shared", "signed-in" and "public".
enum class PortLevel { owner, shared, signedIn, everyone };
BOOST_DESCRIBE_ENUM(PortLevel, owner, shared, signedIn, everyone)

struct PortRule {
  PortLevel level = PortLevel::owner;
  std::optional<SystemTime> expiresAt{};  ///< then the level is `owner` again; nothing: until it is changed
  friend bool operator==(const PortRule&, const PortRule&) = default;
};

/// By port; without those of the level `owner`.
using PortRules = std::map<std::uint16_t, PortRule>;

}  // namespace swarm
