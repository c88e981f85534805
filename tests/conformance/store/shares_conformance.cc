// The contract of store.h about shares and access tokens, for every implementation.
#include "conformance/store/store_conformance.h"
#include "model/codec/codec.h"

namespace swarm {
namespace {

using namespace test;
using testing::ElementsAre;

ShareRecord shareOf(const std::string& instance, const std::string& user, ShareAccess access = ShareAccess::viewer) {
  return {.instanceId = InstanceId(instance), .grantee = Grantee::ofUser(user), .access = access, .grantedBy = "ada"};
}

TEST_P(StoreConformance, keepsQuotasAsLongAsTheirUserOrGroup) {
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  run(store().putUser({"admin", "hash", Role::admin, SystemTime(), 1}));
  run(store().insertGroup({.name = "devs", .managedBy = ""}));
  QuotaStore& quotas = store().quotas();
  run(quotas.put({QuotaKind::user, "ann"}, {.memory = 1}));
  run(quotas.put({QuotaKind::user, "ann"}, {.instances = 2, .cpu = 1.5}));
  run(quotas.put({QuotaKind::user, "bob"}, {.storage = 3}));
  run(quotas.put({QuotaKind::group, "devs"}, {.memory = 4}));
  run(quotas.put({QuotaKind::member, "devs"}, {.memory = 5}));
  run(quotas.put({QuotaKind::role, "user"}, {.memory = 0}));
  EXPECT_EQ(errorOf(quotas.put({QuotaKind::user, "eve"}, {.memory = 1})).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(quotas.put({QuotaKind::member, "ann"}, {.memory = 1})).code(), ErrorCode::NotFound) << "ann is not a group";
  EXPECT_EQ(errorOf(quotas.remove({QuotaKind::group, "ann"})).code(), ErrorCode::NotFound);
  reopen();
  EXPECT_EQ(run(store().quotas().load()), (Quotas{{{QuotaKind::user, "ann"}, {.instances = 2, .cpu = 1.5}},
                                                  {{QuotaKind::user, "bob"}, {.storage = 3}},
                                                  {{QuotaKind::group, "devs"}, {.memory = 4}},
                                                  {{QuotaKind::member, "devs"}, {.memory = 5}},
                                                  {{QuotaKind::role, "user"}, {.memory = 0}}}));
  run(store().quotas().remove({QuotaKind::user, "ann"}));
  run(store().deleteGroup("devs"));
  run(store().deleteUser("bob", "ann"));
  EXPECT_EQ(run(store().quotas().load()), (Quotas{{{QuotaKind::role, "user"}, {.memory = 0}}}));
}

TEST_P(StoreConformance, keepsSharesUntilTheyEndOrTheInstanceIsDeleted) {
  insert("i-1", "one");
  insert("i-2", "two");
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  const SystemTime begin{std::chrono::seconds(1'000)}, end{std::chrono::seconds(2'000)};
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), Grantee::ofUser("bob"), ShareAccess::editor, "ada", begin, end}))->shares,
              testing::SizeIs(1));
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), Grantee::ofUser("ann"), ShareAccess::viewer, "ada", begin, {}}))->shares,
              testing::SizeIs(2));
  EXPECT_THAT(run(store().putShare({InstanceId("i-2"), Grantee::ofUser("ann"), ShareAccess::viewer, "ada", begin, {}}))->shares,
              testing::SizeIs(1));
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), Grantee::ofUser("bob"), ShareAccess::viewer, "ann", begin, end}))->shares,
              testing::SizeIs(2));
  reopen();
  const std::vector<ShareRecord> all = run(store().loadShares()).shares;
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].grantee, Grantee::ofUser("ann"));
  EXPECT_FALSE(all[0].expiresAt);
  EXPECT_EQ(all[1].instanceId, InstanceId("i-1"));
  EXPECT_EQ(all[1].grantee, Grantee::ofUser("bob"));
  EXPECT_EQ(all[1].access, ShareAccess::viewer) << "replaced";
  EXPECT_EQ(all[1].grantedBy, "ann");
  EXPECT_EQ(all[1].createdAt, begin);
  EXPECT_EQ(all[1].expiresAt, end);
  run(store().pruneShares(end - std::chrono::milliseconds(1)));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(3));
  run(store().pruneShares(end));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(2)) << "one without an end stays";
  EXPECT_THAT(run(store().deleteShare(InstanceId("i-2"), Grantee::ofUser("ann"))).shares, testing::SizeIs(0));
  EXPECT_EQ(errorOf(store().deleteShare(InstanceId("i-2"), Grantee::ofUser("ann"))).code(), ErrorCode::NotFound);
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(0));
}

TEST_P(StoreConformance, endsTheSharesOfAUserWhoIsDisabledOrDeleted) {
  insert("i-1", "one");
  for (const char* user : {"ann", "bob"}) {
    run(store().putUser({user, "", Role::user, SystemTime(), 1}));
    run(store().putShare(shareOf("i-1", user)));
  }
  run(store().changeUser("ann", {.disabled = true}));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(1));
  EXPECT_FALSE(run(store().putShare(shareOf("i-1", "ann")))) << "like an unknown user";
  run(store().deleteUser("bob", ""));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(0));
}

TEST_P(StoreConformance, handsAnInstanceOverWholeAndIgnoresLateWritesOfItsFormerOwner) {
  insert("i-1", "one");
  insert("i-2", "two");
  run(store().putPlace(makePlace("p-1", "i-1")));
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  run(store().putShare(shareOf("i-1", "ann")));
  run(store().putShare(shareOf("i-1", "bob")));
  const InstanceRecord former = run(store().loadInstances()).front();
  InstanceRecord given = former;
  given.instance.owner = "bob";
  ++given.instance.version;
  run(store().handOverInstance(given, {{PlaceId("i-1"), "", "bob"}, {PlaceId("i-0"), "data", "bob"}}));
  run(store().updateInstance(former));
  reopen();
  const auto loaded = run(store().loadInstances());
  EXPECT_EQ(loaded[0].instance.owner, "bob");
  EXPECT_NE(loaded[1].instance.owner, "bob");
  EXPECT_EQ(run(store().loadPlaces()).front().owner, "bob");
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.owner = "bob"; }), ElementsAre("op-i-1"));
  EXPECT_EQ(run(store().getOperation("op-i-1"))->owner, "bob");
  const auto left = run(store().loadShares()).shares;
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].grantee, Grantee::ofUser("ann"));
  given.instance.owner = "ann";
  run(store().handOverInstance(given, {{PlaceId("i-1"), "", "ann"}}));
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  run(store().pruneOperations(RealClock().now() + std::chrono::hours(1)));
  std::vector<std::string> owned;
  for (const VolumeOwner& one : run(store().loadVolumeOwners())) owned.push_back(one.placeId.str() + one.volume + "=" + one.owner);
  EXPECT_THAT(owned, ElementsAre("i-0data=bob", "i-1=ann")) << "volumes outlive everything else";
  InstanceRecord absent = makeRecord("i-9", "nine");
  EXPECT_EQ(errorOf(store().handOverInstance(absent, {})).code(), ErrorCode::NotFound);
}

TEST_P(StoreConformance, numbersTheSharesThatAreReadOneAfterTheOther) {
  insert("i-1", "one");
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  const std::uint64_t first = run(store().putShare(shareOf("i-1", "ann")))->sequence;
  const std::uint64_t second = run(store().putShare(shareOf("i-1", "bob")))->sequence;
  const std::uint64_t third = run(store().deleteShare(InstanceId("i-1"), Grantee::ofUser("bob"))).sequence;
  EXPECT_GT(second, first);
  EXPECT_GT(third, second);
  EXPECT_GT(run(store().loadShares()).sequence, third);
}

TEST_P(StoreConformance, sharesWithUsersOfInstancesOnlyAndNotWithoutALimit) {
  insert("i-1", "one");
  EXPECT_FALSE(run(store().putShare(shareOf("i-1", "absent"))));
  run(store().putUser({"ann", "", Role::user, SystemTime(), 1}));
  EXPECT_EQ(errorOf(store().putShare(shareOf("i-9", "ann"))).code(), ErrorCode::NotFound);
  for (std::size_t i = 0; i < kMaxSharesOfInstance; ++i) {
    const std::string user = "user" + std::to_string(i);
    run(store().putUser({user, "", Role::user, SystemTime(), 1}));
    EXPECT_TRUE(run(store().putShare(shareOf("i-1", user))));
  }
  EXPECT_EQ(errorOf(store().putShare(shareOf("i-1", "ann"))).code(), ErrorCode::Conflict);
  EXPECT_TRUE(run(store().putShare(shareOf("i-1", "user1", ShareAccess::editor)))) << "replaces one";
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(kMaxSharesOfInstance));
}

TEST_P(StoreConformance, keepsGroupsWithTheirMembers) {
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  const SystemTime begin{std::chrono::seconds(1'000)};
  run(store().insertGroup({.name = "ops", .managedBy = "", .createdAt = begin}));
  run(store().insertGroup({.name = "ann", .managedBy = "", .createdAt = begin}));
  EXPECT_EQ(errorOf(store().insertGroup({.name = "ops", .managedBy = ""})).code(), ErrorCode::AlreadyExists);
  for (int twice = 0; twice < 2; ++twice) run(store().addGroupMember("ops", "bob"));
  run(store().addGroupMember("ops", "ann"));
  EXPECT_EQ(errorOf(store().addGroupMember("absent", "ann")).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().addGroupMember("ops", "absent")).code(), ErrorCode::NotFound);
  reopen();
  const auto groups = run(store().loadShares()).groups;
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].name, "ann");
  EXPECT_TRUE(groups[0].members.empty());
  EXPECT_EQ(groups[1].createdAt, begin);
  EXPECT_THAT(groups[1].members, ElementsAre("ann", "bob"));
  run(store().removeGroupMember("ops", "ann"));
  EXPECT_EQ(errorOf(store().removeGroupMember("ops", "ann")).code(), ErrorCode::NotFound);
  run(store().deleteGroup("ann"));
  EXPECT_EQ(errorOf(store().deleteGroup("ann")).code(), ErrorCode::NotFound);
  const auto left = run(store().loadShares()).groups;
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(left[0].members, ElementsAre("bob"));
}

TEST_P(StoreConformance, endsTheMembershipsOfAUserWhoIsDisabledOrDeleted) {
  run(store().insertGroup({.name = "devs", .managedBy = ""}));
  for (const char* user : {"ann", "bob", "cyd"}) {
    run(store().putUser({user, "", Role::user, SystemTime(), 1}));
    run(store().addGroupMember("devs", user));
  }
  run(store().changeUser("ann", {.disabled = true}));
  EXPECT_EQ(errorOf(store().addGroupMember("devs", "ann")).code(), ErrorCode::NotFound);
  run(store().changeUser("ann", {.disabled = false}));
  run(store().deleteUser("bob", ""));
  EXPECT_THAT(run(store().loadShares()).groups.at(0).members, ElementsAre("cyd")) << "one who is enabled again gets none back";
}

TEST_P(StoreConformance, endsTheSharesOfAGroupWithItAndNotThoseOfAUserOfItsName) {
  insert("i-1", "one");
  run(store().putUser({"devs", "", Role::user, SystemTime(), 1}));
  const ShareRecord with_group{.instanceId = InstanceId("i-1"), .grantee = Grantee::ofGroup("devs"), .grantedBy = "ada"};
  EXPECT_FALSE(run(store().putShare(with_group))) << "there is no such group";
  run(store().insertGroup({.name = "devs", .managedBy = ""}));
  EXPECT_TRUE(run(store().putShare(with_group)));
  EXPECT_TRUE(run(store().putShare(shareOf("i-1", "devs"))));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(2));
  run(store().changeUser("devs", {.disabled = true}));
  ASSERT_THAT(run(store().loadShares()).shares, testing::SizeIs(1));
  EXPECT_EQ(run(store().loadShares()).shares[0].grantee, Grantee::ofGroup("devs"));
  run(store().changeUser("devs", {.disabled = false}));
  run(store().putShare(shareOf("i-1", "devs")));
  run(store().deleteGroup("devs"));
  run(store().insertGroup({.name = "devs", .managedBy = ""}));
  ASSERT_THAT(run(store().loadShares()).shares, testing::SizeIs(1)) << "a later group of this name gets nothing";
  EXPECT_EQ(run(store().loadShares()).shares[0].grantee, Grantee::ofUser("devs"));
}

TEST_P(StoreConformance, letsAnIdentityProviderSetOnlyItsOwnGroups) {
  const SystemTime now{std::chrono::seconds(1'000)};
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", Role::user, SystemTime(), 1}));
  run(store().insertGroup({.name = "local", .managedBy = ""}));
  run(store().addGroupMember("local", "ann"));
  EXPECT_TRUE(run(store().setManagedGroups("ann", "corp", {"a", "b", "local"}, now)));
  EXPECT_FALSE(run(store().setManagedGroups("ann", "corp", {"b", "a", "local", "a"}, now))) << "nothing changes";
  EXPECT_TRUE(run(store().setManagedGroups("bob", "corp", {"local", "b"}, now)));
  EXPECT_FALSE(run(store().setManagedGroups("bob", "other", {"a"}, now))) << "another provider's";
  EXPECT_EQ(errorOf(store().setManagedGroups("absent", "corp", {"a"}, now)).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().addGroupMember("a", "bob")).code(), ErrorCode::Conflict);
  EXPECT_EQ(errorOf(store().removeGroupMember("a", "ann")).code(), ErrorCode::Conflict);
  EXPECT_TRUE(run(store().setManagedGroups("ann", "corp", {"b"}, now)));
  const auto groups = run(store().loadShares()).groups;
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].managedBy, "corp");
  EXPECT_EQ(groups[0].createdAt, now);
  EXPECT_TRUE(groups[0].members.empty());
  EXPECT_THAT(groups[1].members, ElementsAre("ann", "bob"));
  EXPECT_THAT(groups[2].members, ElementsAre("ann")) << "a provider adds no user to a group of the server";
}

TEST_P(StoreConformance, keepsRulesOfPortsWithTheirInstanceAndItsOwner) {
  for (const char* id : {"i-1", "i-2", "i-3"}) insert(id, std::string("name-") + id);
  run(store().putUser({"bob", "", Role::user, SystemTime(), 1}));
  const std::string owner = makeRecord("i-1", "one").instance.owner;
  const SystemTime end{std::chrono::seconds(2'000)};
  const auto ports = [&] {
    std::vector<std::pair<std::string, int>> found;
    for (const PortRecord& one : run(store().loadPortRules())) found.emplace_back(one.instanceId.str(), one.port);
    return found;
  };
  for (const char* id : {"i-1", "i-2", "i-3"}) run(store().putPortRule({InstanceId(id), 80, {PortLevel::shared}}, owner));
  run(store().putPortRule({InstanceId("i-1"), 80, {PortLevel::everyone, end}}, owner));
  run(store().putPortRule({InstanceId("i-1"), 90, {PortLevel::signedIn}}, owner));
  reopen();
  const auto rules = run(store().loadPortRules());
  ASSERT_EQ(rules.size(), 4U);
  EXPECT_EQ(rules[0].rule, (PortRule{PortLevel::everyone, end})) << "replaced";
  EXPECT_EQ(rules[1].port, 90);
  EXPECT_EQ(rules[1].rule, PortRule{PortLevel::signedIn});
  EXPECT_EQ(errorOf(store().putPortRule({InstanceId("i-1"), 80, {PortLevel::shared}}, "bob")).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().putPortRule({InstanceId("i-9"), 80, {PortLevel::shared}}, owner)).code(), ErrorCode::NotFound);
  run(store().prunePortRules(end));
  run(store().putPortRule({InstanceId("i-1"), 90, {PortLevel::owner}}, owner));
  run(store().deleteInstanceRow(InstanceId("i-2"), departed("i-2"), std::nullopt));
  EXPECT_THAT(ports(), ElementsAre(std::pair("i-3", 80)));
  InstanceRecord given = run(store().loadInstances()).back();
  given.instance.owner = "bob";
  run(store().handOverInstance(given, {}));
  EXPECT_THAT(ports(), testing::IsEmpty());
  run(store().putPortRule({InstanceId("i-3"), 80, {PortLevel::shared}}, "bob"));
  run(store().putUser({"ann", "", Role::user, SystemTime(), 1}));
  run(store().deleteUser("bob", "ann"));
  EXPECT_THAT(ports(), testing::IsEmpty());
}

TEST_P(StoreConformance, keepsAccessTokensUntilTheyExpire) {
  const SystemTime now = parseTime("2026-11-23T00:00:00Z");
  const AccessToken first{.id = "t-1",
                          .name = "ci",
                          .owner = "ann",
                          .scopes = {AccessScope::read, AccessScope::write},
                          .namePrefix = "ci-",
                          .maxInstances = 5,
                          .createdAt = now,
                          .expiresAt = now + std::chrono::hours(1)};
  AccessToken second = first;
  second.id = "t-2";
  second.name = "agent";
  second.expiresAt += std::chrono::hours(1);
  run(store().insertAccessToken({second, "digest-2"}));
  run(store().insertAccessToken({first, "digest-1"}));
  run(store().noteAccessTokenUses({{"t-2", now + std::chrono::minutes(1)}, {"absent", now}}));
  reopen();
  auto tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(toJson(tokens[0].token), toJson(first));
  EXPECT_EQ(tokens[0].digest, "digest-1");
  EXPECT_EQ(tokens[1].token.lastUsedAt, now + std::chrono::minutes(1));
  EXPECT_EQ(tokens[1].digest, "digest-2");
  run(store().pruneAccessTokens(first.expiresAt));
  tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].token.id, "t-2");
  for (const char* id : {"t-2", "absent"}) run(store().deleteAccessToken(id));
  reopen();
  EXPECT_TRUE(run(store().loadAccessTokens()).empty());
}

TEST_P(StoreConformance, deletesAccessTokensWithThoseThatTheyCreated) {
  for (const char* name : {"ann", "bob"}) run(store().insertUser({.name = name, .passwordHash = "hash", .role = Role::admin}));
  const auto insert_token = [&](const std::string& id, const std::string& owner, const std::string& parent) {
    run(store().insertAccessToken(
        {{.id = id, .name = id, .owner = owner, .expiresAt = parseTime("2027-11-23T00:00:00Z"), .parent = parent}, id}));
  };
  const auto left = [&] {
    std::vector<std::string> ids;
    for (const AccessTokenRecord& one : run(store().loadAccessTokens())) ids.push_back(one.token.id);
    return ids;
  };
  insert_token("t-1", "ann", "");
  insert_token("t-2", "bob", "t-1");
  insert_token("t-3", "bob", "t-2");
  insert_token("t-4", "ann", "");
  insert_token("t-5", "bob", "t-4");
  insert_token("t-6", "bob", "");
  run(store().deleteAccessToken("t-1"));
  EXPECT_THAT(left(), ElementsAre("t-4", "t-5", "t-6"));
  EXPECT_EQ(errorOf(store().insertAccessToken({{.id = "t-9", .name = "t-9", .owner = "bob", .parent = "t-1"}, "t-9"})).code(),
            ErrorCode::NotFound);
  run(store().changeUser("ann", {.passwordHash = "new", .revokesCredentials = true}));
  EXPECT_THAT(left(), ElementsAre("t-6"));
  insert_token("t-7", "ann", "");
  insert_token("t-8", "bob", "t-7");
  run(store().deleteUser("ann", ""));
  EXPECT_THAT(left(), ElementsAre("t-6"));
}

TEST_P(StoreConformance, hasOneAccessTokenOfANameAndForgetsThoseOfADeletedUser) {
  for (const char* name : {"ann", "ci"})
    run(store().insertUser(
        {.name = name, .passwordHash = "", .role = Role::user, .kind = name == std::string("ci") ? UserKind::service : UserKind::person}));
  const auto tokenOf = [](const std::string& id, const std::string& owner) {
    return AccessTokenRecord{{.id = id, .name = "build", .owner = owner}, "digest-" + id};
  };
  run(store().insertAccessToken(tokenOf("t-1", "ann")));
  run(store().insertAccessToken(tokenOf("t-2", "ci")));
  EXPECT_EQ(errorOf(store().insertAccessToken(tokenOf("t-3", "ann"))).code(), ErrorCode::AlreadyExists);
  reopen();
  EXPECT_EQ(run(store().getUser("ann"))->kind, UserKind::person);
  EXPECT_EQ(run(store().getUser("ci"))->kind, UserKind::service);
  run(store().deleteUser("ci", ""));
  const auto tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].token.owner, "ann");
}

}  // namespace
}  // namespace swarm
