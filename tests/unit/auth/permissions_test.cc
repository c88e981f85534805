// Every role, every permission, every kind of owner.
#include "auth/auth.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

struct Row {
  Role role;
  Permission permission;
  bool own;       // of the user's own object
  bool none;      // without an owner: a list, or an object that does not exist yet
  bool stranger;  // of another user's object
};

constexpr Row kTable[] = {
    {Role::viewer, Permission::Public, true, true, true},    {Role::viewer, Permission::SignedIn, true, true, true},
    {Role::viewer, Permission::ReadOwn, true, true, false},  {Role::viewer, Permission::WriteOwn, false, false, false},
    {Role::viewer, Permission::UseOwn, false, false, false}, {Role::viewer, Permission::Admin, false, false, false},
    {Role::user, Permission::Public, true, true, true},      {Role::user, Permission::SignedIn, true, true, true},
    {Role::user, Permission::ReadOwn, true, true, false},    {Role::user, Permission::WriteOwn, true, true, false},
    {Role::user, Permission::UseOwn, true, true, false},     {Role::user, Permission::Admin, false, false, false},
    {Role::admin, Permission::Public, true, true, true},     {Role::admin, Permission::SignedIn, true, true, true},
    {Role::admin, Permission::ReadOwn, true, true, true},    {Role::admin, Permission::WriteOwn, true, true, true},
    {Role::admin, Permission::UseOwn, true, true, true},     {Role::admin, Permission::Admin, true, true, true},
};

TEST(Permissions, followTheTable) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(testing::Message() << "role " << static_cast<int>(row.role) << ", permission " << static_cast<int>(row.permission));
    Principal ann{"ann", row.role, "s", {}};
    EXPECT_EQ(isAllowed(ann, row.permission, "ann"), row.own);
    EXPECT_EQ(isAllowed(ann, row.permission, ""), row.none);
    EXPECT_EQ(isAllowed(ann, row.permission, "bob"), row.stranger);
    EXPECT_EQ(isAllowed(ann, row.permission, "Ann"), row.stranger) << "names are compared exactly";
  }
}

TEST(Permissions, allowWithoutASignInOnlyWhatIsPublic) {
  for (Role role : {Role::viewer, Role::user, Role::admin}) {
    Principal signed_out{"", role, "", {}};
    EXPECT_TRUE(isAllowed(signed_out, Permission::Public, ""));
    for (Permission permission : {Permission::SignedIn, Permission::ReadOwn, Permission::WriteOwn, Permission::UseOwn, Permission::Admin}) {
      EXPECT_FALSE(isAllowed(signed_out, permission, ""));
      EXPECT_FALSE(isAllowed(signed_out, permission, "ann"));
    }
    EXPECT_FALSE(canSee(signed_out, ""));
    EXPECT_FALSE(canSee(signed_out, "ann"));
  }
}

TEST(Permissions, hideOtherUsersObjectsFromAllButAdmins) {
  for (Role role : {Role::viewer, Role::user}) {
    EXPECT_TRUE(canSee({"ann", role, "s", {}}, "ann"));
    EXPECT_FALSE(canSee({"ann", role, "s", {}}, "bob"));
    EXPECT_FALSE(canSee({"ann", role, "s", {}}, "")) << "objects without an owner are the admins'";
  }
  EXPECT_TRUE(canSee({"root", Role::admin, "s", {}}, "bob"));
  EXPECT_TRUE(canSee({"root", Role::admin, "s", {}}, ""));
}

}  // namespace
}  // namespace swarm
