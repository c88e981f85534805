// Every role, every permission, every relation to the object.
#include <set>

#include "auth/auth.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

struct Row {
  Role role;
  Permission permission;
  bool own;
  bool editor;  // another user's object, shared as editor
  bool viewer;  // …as viewer
  bool other;   // another user's object
};

constexpr Row kExpected[] = {
    {Role::viewer, Permission::Public, true, true, true, true},
    {Role::viewer, Permission::SignedIn, true, true, true, true},
    {Role::viewer, Permission::Session, true, true, true, true},
    {Role::viewer, Permission::Read, true, true, true, false},
    {Role::viewer, Permission::Create, false, false, false, false},
    {Role::viewer, Permission::Manage, false, false, false, false},
    {Role::viewer, Permission::Configure, false, false, false, false},
    {Role::viewer, Permission::Inside, false, false, false, false},
    {Role::viewer, Permission::Share, false, false, false, false},
    {Role::viewer, Permission::ReadServer, false, false, false, false},
    {Role::viewer, Permission::ManageProviders, false, false, false, false},
    {Role::viewer, Permission::ReadUsers, true, false, false, false},
    {Role::viewer, Permission::Account, true, false, false, false},
    {Role::viewer, Permission::ManageUsers, false, false, false, false},
    {Role::viewer, Permission::ReadAudit, false, false, false, false},
    {Role::user, Permission::Public, true, true, true, true},
    {Role::user, Permission::SignedIn, true, true, true, true},
    {Role::user, Permission::Session, true, true, true, true},
    {Role::user, Permission::Read, true, true, true, false},
    {Role::user, Permission::Create, true, false, false, false},
    {Role::user, Permission::Manage, true, false, false, false},
    {Role::user, Permission::Configure, true, false, false, false},
    {Role::user, Permission::Inside, true, true, false, false},
    {Role::user, Permission::Share, true, false, false, false},
    {Role::user, Permission::ReadServer, false, false, false, false},
    {Role::user, Permission::ManageProviders, false, false, false, false},
    {Role::user, Permission::ReadUsers, true, false, false, false},
    {Role::user, Permission::Account, true, false, false, false},
    {Role::user, Permission::ManageUsers, false, false, false, false},
    {Role::user, Permission::ReadAudit, false, false, false, false},
    {Role::auditor, Permission::Public, true, true, true, true},
    {Role::auditor, Permission::SignedIn, true, true, true, true},
    {Role::auditor, Permission::Session, true, true, true, true},
    {Role::auditor, Permission::Read, true, true, true, true},
    {Role::auditor, Permission::Create, false, false, false, false},
    {Role::auditor, Permission::Manage, false, false, false, false},
    {Role::auditor, Permission::Configure, false, false, false, false},
    {Role::auditor, Permission::Inside, false, false, false, false},
    {Role::auditor, Permission::Share, false, false, false, false},
    {Role::auditor, Permission::ReadServer, true, true, true, true},
    {Role::auditor, Permission::ManageProviders, false, false, false, false},
    {Role::auditor, Permission::ReadUsers, true, true, true, true},
    {Role::auditor, Permission::Account, true, false, false, false},
    {Role::auditor, Permission::ManageUsers, false, false, false, false},
    {Role::auditor, Permission::ReadAudit, true, true, true, true},
    {Role::operator_, Permission::Public, true, true, true, true},
    {Role::operator_, Permission::SignedIn, true, true, true, true},
    {Role::operator_, Permission::Session, true, true, true, true},
    {Role::operator_, Permission::Read, true, true, true, true},
    {Role::operator_, Permission::Create, true, false, false, false},
    {Role::operator_, Permission::Manage, true, true, true, true},
    {Role::operator_, Permission::Configure, true, false, false, false},
    {Role::operator_, Permission::Inside, false, false, false, false},
    {Role::operator_, Permission::Share, true, false, false, false},
    {Role::operator_, Permission::ReadServer, true, true, true, true},
    {Role::operator_, Permission::ManageProviders, true, true, true, true},
    {Role::operator_, Permission::ReadUsers, true, false, false, false},
    {Role::operator_, Permission::Account, true, false, false, false},
    {Role::operator_, Permission::ManageUsers, false, false, false, false},
    {Role::operator_, Permission::ReadAudit, false, false, false, false},
    {Role::admin, Permission::Public, true, true, true, true},
    {Role::admin, Permission::SignedIn, true, true, true, true},
    {Role::admin, Permission::Session, true, true, true, true},
    {Role::admin, Permission::Read, true, true, true, true},
    {Role::admin, Permission::Create, true, true, true, true},
    {Role::admin, Permission::Manage, true, true, true, true},
    {Role::admin, Permission::Configure, true, true, true, true},
    {Role::admin, Permission::Inside, true, true, true, true},
    {Role::admin, Permission::Share, true, true, true, true},
    {Role::admin, Permission::ReadServer, true, true, true, true},
    {Role::admin, Permission::ManageProviders, true, true, true, true},
    {Role::admin, Permission::ReadUsers, true, true, true, true},
    {Role::admin, Permission::Account, true, true, true, true},
    {Role::admin, Permission::ManageUsers, true, true, true, true},
    {Role::admin, Permission::ReadAudit, true, true, true, true},
};

TEST(Permissions, areThoseOfTheTable) {
  std::set<std::pair<Role, Permission>> seen;
  for (const Row& row : kExpected) {
    const Principal ann{"ann", row.role, "session", {}};
    EXPECT_TRUE(seen.insert({row.role, row.permission}).second);
    const auto text = std::string(nameOf(row.role)) + ": " + std::string(nameOf(row.permission));
    EXPECT_EQ(isAllowed(ann, row.permission, Relation::Own), row.own) << text;
    EXPECT_EQ(isAllowed(ann, row.permission, Relation::SharedAsEditor), row.editor) << text;
    EXPECT_EQ(isAllowed(ann, row.permission, Relation::SharedAsViewer), row.viewer) << text;
    EXPECT_EQ(isAllowed(ann, row.permission, Relation::Other), row.other) << text;
  }
  EXPECT_EQ(seen.size(), kRoles.size() * kPermissions.size()) << "one row for each role and permission";
}

TEST(Permissions, dependOnTheOwnersExactName) {
  const Principal ann{"ann", Role::user, "session", {}};
  EXPECT_EQ(relationOf(ann, "ann"), Relation::Own);
  for (const char* other : {"Ann", "bob", "ann ", ""}) EXPECT_EQ(relationOf(ann, other), Relation::Other) << other;
  EXPECT_EQ(relationOf({}, ""), Relation::Other);
}

TEST(Permissions, followTheGrantForTheInstance) {
  Principal ann{"ann", Role::user, "session", {}};
  ann.grants = std::make_shared<const Grants>(
      Grants{{InstanceId("i-1"), {ShareAccess::viewer}}, {InstanceId("i-2"), {ShareAccess::editor}}, {InstanceId("i-3"), {}}});
  EXPECT_EQ(relationOf(ann, "bob", InstanceId("i-1")), Relation::SharedAsViewer);
  EXPECT_EQ(relationOf(ann, "bob", InstanceId("i-2")), Relation::SharedAsEditor);
  EXPECT_EQ(relationOf(ann, "ann", InstanceId("i-3")), Relation::Own) << "handed over to them since";
  EXPECT_EQ(relationOf(ann, "bob", InstanceId("i-4")), Relation::Other);
  EXPECT_EQ(relationOf(ann, "bob"), Relation::Other) << "what belongs to no instance";
  EXPECT_EQ(relationOf({"carl", Role::user, "session", {}}, "bob", InstanceId("i-2")), Relation::Other);
}

TEST(Permissions, areNoneWithoutASignInExceptThePublicOnes) {
  for (const Role role : kRoles) {
    Principal signed_out;
    signed_out.role = role;
    for (const Permission permission : kPermissions) {
      EXPECT_EQ(isAllowed(signed_out, permission, Relation::Own), permission == Permission::Public);
      EXPECT_EQ(isAllowed(signed_out, permission, "ann"), permission == Permission::Public);
    }
    EXPECT_FALSE(canSee(signed_out, ""));
    EXPECT_FALSE(canSee(signed_out, "ann"));
  }
}

TEST(Permissions, letAdminsIntoWorkspacesOfOthersUnlessTheConfigurationForbidsIt) {
  const Principal admin{"root", Role::admin, "s", {}};
  Principal kept_out = admin;
  kept_out.mayEnterOthers = false;
  for (const Permission permission : kPermissions) {
    const bool enters = permission == Permission::Inside || permission == Permission::Configure || permission == Permission::Share ||
                        permission == Permission::Create;
    EXPECT_TRUE(isAllowed(admin, permission, "bob"));
    EXPECT_EQ(isAllowed(kept_out, permission, "bob"), !enters) << nameOf(permission);
    EXPECT_TRUE(isAllowed(kept_out, permission, "root")) << "one's own";
    EXPECT_EQ(isAllowed(kept_out, permission, Relation::SharedAsEditor), !enters || permission == Permission::Inside)
        << "the owner has let them in";
    EXPECT_EQ(isAllowed(kept_out, permission, Relation::SharedAsViewer), !enters) << nameOf(permission);
  }
}

TEST(Roles, areReadByTheirNames) {
  for (const Role role : kRoles) EXPECT_EQ(roleFromName(nameOf(role)), role);
  EXPECT_EQ(nameOf(Role::operator_), "operator");
  for (const char* unknown : {"", "owner", "Admin", "admin ", "operator_"}) EXPECT_FALSE(roleFromName(unknown)) << unknown;
}

}  // namespace
}  // namespace swarm
