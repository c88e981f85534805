// Which role may do what: one table.
#include "auth/auth.h"

namespace swarm {

bool canSee(const Principal& principal, std::string_view owner) {
  if (principal.user.empty()) return false;
  return principal.role == Role::admin || (!owner.empty() && owner == principal.user);
}

bool isAllowed(const Principal& principal, Permission permission, std::string_view owner) {
  if (permission == Permission::Public) return true;
  if (principal.user.empty()) return false;
  if (principal.role == Role::admin || permission == Permission::SignedIn) return true;
  bool own = owner.empty() || owner == principal.user;  // without an owner: a list, or an object that does not exist yet
  switch (permission) {
    case Permission::ReadOwn:
      return own;
    case Permission::WriteOwn:
    case Permission::UseOwn:
      return own && principal.role == Role::user;
    default:
      return false;
  }
}

}  // namespace swarm
