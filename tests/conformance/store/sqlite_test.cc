// Guarantees of the SQLite store only: modes, the lock, old and broken files.
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "conformance/store/sqlite_fixture.h"
#include "sqlite/data_dir.h"
#include "store/sqlite/migrations.h"

namespace swarm {
namespace {

using namespace test;
using testing::HasSubstr;

unsigned modeOf(const std::filesystem::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

/// What takes the steps of the schema back, from the second one: a new step gets a line here.
constexpr const char* kSteps[] = {
    "ALTER TABLE instances DROP COLUMN place_id; DROP TABLE places;",
    "DROP TABLE departures;",
    "ALTER TABLE instances DROP COLUMN agent_key; ALTER TABLE users DROP COLUMN git_name; ALTER TABLE users DROP COLUMN git_email;",
    "DROP TABLE name_holds; ALTER TABLE sessions DROP COLUMN kind; ALTER TABLE sessions DROP COLUMN created_at;",
    "DROP TABLE token_keys;",
    "ALTER TABLE users DROP COLUMN disabled; ALTER TABLE users DROP COLUMN invite_digest; ALTER TABLE users DROP COLUMN invite_expires; "
    "ALTER TABLE sessions DROP COLUMN signed_in_at; DROP TABLE former_users;",
    "DROP TABLE shares;",
    "DROP TABLE access_tokens; ALTER TABLE users DROP COLUMN kind;",
    "DROP TABLE audit; DROP TABLE audit_open; DROP TABLE audit_chain;",
    "DROP TABLE shares; DROP TABLE group_members; DROP TABLE user_groups; "
    "CREATE TABLE shares(instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, grantee TEXT NOT NULL, access TEXT NOT "
    "NULL, granted_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(instance_id, grantee)) "
    "STRICT, WITHOUT ROWID;",
    "DROP TABLE port_rules;",
    "DROP TABLE secrets; DROP TABLE sealing;",
    "DROP TABLE second_factors; DROP TABLE recovery_codes;",
    "DROP TABLE volume_owners;",
    "DROP TABLE ssh_keys;",
    "DROP TABLE identities; ALTER TABLE sessions DROP COLUMN provider; ALTER TABLE sessions DROP COLUMN provider_subject; "
    "ALTER TABLE sessions DROP COLUMN provider_session;",
    "DROP TABLE ssh_keys; CREATE TABLE ssh_keys(id TEXT PRIMARY KEY, owner TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE, "
    "last_used_at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;",
    "DROP TABLE usage;",
    "DROP TABLE quotas;"};

/// Takes a database of the latest schema back to that of an earlier one.
std::string backTo(int version) {
  EXPECT_EQ(std::size(kSteps) + 1, static_cast<std::size_t>(sqlite::latestSchema())) << "a step of the schema is missing in kSteps";
  std::string statements;
  for (int step = static_cast<int>(std::size(kSteps)) + 1; step > version; --step) statements += kSteps[step - 2];
  return statements + "PRAGMA user_version=" + std::to_string(version) + ";";
}

TEST_F(SqliteStore, keepsItsFilesPrivate) {
  auto store = openSqliteStore(data());
  run(store->putSetting("a", "b"));
  EXPECT_EQ(modeOf(data()), 0700u);
  EXPECT_EQ(modeOf(file()), 0600u);
  EXPECT_EQ(modeOf(file().string() + "-wal"), 0600u);
}

TEST_F(SqliteStore, makesAnOpenFolderPrivate) {
  std::filesystem::create_directories(data());
  ::chmod(data().c_str(), 0755);
  openSqliteStore(data());
  EXPECT_EQ(modeOf(data()), 0700u);
}

TEST_F(SqliteStore, refusesAFolderThatAnotherServerUsesAndNamesIt) {
  auto store = openSqliteStore(data());
  Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::Conflict);
  EXPECT_THAT(error.message(), HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_THAT(error.message(), HasSubstr(data().string()));
  run(store->putSetting("still", "works"));
  store.reset();
  EXPECT_NO_THROW(openSqliteStore(data()));
}

TEST_F(SqliteStore, isFreeAgainWhenItsServerWasKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  pid_t child = ::fork();
  if (child == 0) {
    auto store = openSqliteStore(data());
    [[maybe_unused]] ssize_t written = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(openError().message(), HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  EXPECT_NO_THROW(openSqliteStore(data()));
}

TEST_F(SqliteStore, takesADatabaseOfBeforeMovesAlong) {
  run(openSqliteStore(data())->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
  sql(backTo(1) + "UPDATE instances SET agent_secret = '5ec2e7'");
  auto store = openSqliteStore(data());
  auto loaded = run(store->loadInstances());
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(loaded[0].placeId, PlaceId());
  EXPECT_EQ(loaded[0].agentKey.reveal(), "");
  EXPECT_EQ(loaded[0].agentSecret.reveal(), "5ec2e7") << "its agent continues to work";
  EXPECT_EQ(loaded[0].external, makeRecord("i-1", "web").external);
  run(store->putPlace(makePlace("i-2", "i-1")));
  EXPECT_EQ(run(store->loadPlaces()).size(), 1u);
}

TEST_F(SqliteStore, takesTheSharesOfBeforeGroupsAlong) {
  {
    auto store = openSqliteStore(data());
    run(store->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
  }
  sql(backTo(10) + "INSERT INTO shares VALUES('i-1', 'bob', 'editor', 'ada', 1000, 2000)");
  auto store = openSqliteStore(data());
  const auto shares = run(store->loadShares()).shares;
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].grantee, Grantee::ofUser("bob"));
  EXPECT_EQ(shares[0].access, ShareAccess::editor);
  EXPECT_EQ(shares[0].grantedBy, "ada");
  EXPECT_EQ(shares[0].expiresAt, SystemTime(std::chrono::milliseconds(2000)));
  run(store->deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  EXPECT_TRUE(run(store->loadShares()).shares.empty());
}

/// Earlier versions left resources of deleted instances behind: the journal has their ids, and what was requested.
TEST_F(SqliteStore, takesTheDeletesOfBeforeFromTheJournal) {
  {
    auto store = openSqliteStore(data());
    for (const char* id : {"i-1", "i-2"}) {
      OperationRecord removal = makeOperation(std::string("op-") + id, id);
      removal.kind = OperationKind::remove;
      removal.status = OperationStatus::succeeded;
      removal.endedAt = SystemTime(std::chrono::seconds(1'700'000'000));
      removal.parameters = RemoveParameters{.volumes = std::string(id) == "i-2"};
      run(store->insertOperation(removal));
    }
    run(store->insertInstance(makeRecord("i-3", "web"), makeOperation("op-3", "i-3")));
  }
  sql(backTo(2));
  auto loaded = run(openSqliteStore(data())->loadDepartures());
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded[0].placeId, PlaceId("i-1"));
  EXPECT_EQ(loaded[0].volumes, DeleteVolumes::No);
  EXPECT_EQ(loaded[1].placeId, PlaceId("i-2"));
  EXPECT_EQ(loaded[1].volumes, DeleteVolumes::Yes);
  EXPECT_EQ(loaded[1].since, SystemTime(std::chrono::seconds(1'700'000'000)));
}

/// What was handed over before the owners of volumes were durable.
TEST_F(SqliteStore, takesTheOwnersOfVolumesFromWhatItHasOfBefore) {
  {
    auto store = openSqliteStore(data());
    run(store->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
    run(store->putPlace(makePlace("p-1", "i-1")));
    for (const auto volumes : {DeleteVolumes::No, DeleteVolumes::Yes})
      run(store->deletePlace(PlaceId("absent"), departed(volumes == DeleteVolumes::No ? "i-2" : "i-3", volumes)));
  }
  sql(backTo(14));
  std::vector<std::string> owned;
  for (const VolumeOwner& one : run(openSqliteStore(data())->loadVolumeOwners()))
    owned.push_back(one.placeId.str() + one.volume + one.owner);
  EXPECT_THAT(owned, testing::ElementsAre("i-1ann", "i-2ada", "p-1ann"));
}

TEST_F(SqliteStore, takesTheSshKeysOfBeforeOneForEachOwnerAlong) {
  const auto keyOf = [](const std::string& id, const std::string& owner) {
    return SshKey{.id = id, .name = "laptop", .owner = owner, .fingerprint = "SHA256:1", .publicKey = "ssh-ed25519 AAAA"};
  };
  {
    auto store = openSqliteStore(data());
    for (const char* name : {"ann", "bob"}) run(store->insertUser({.name = name, .passwordHash = "", .role = Role::user}));
  }
  sql(backTo(17) + "INSERT INTO ssh_keys VALUES('k-1', 'ann', 'SHA256:1', 1000, '" + boost::json::serialize(toJson(keyOf("k-1", "ann"))) +
      "')");
  auto store = openSqliteStore(data());
  EXPECT_EQ(errorOf(store->insertSshKey(keyOf("k-2", "ann"))).code(), ErrorCode::AlreadyExists);
  run(store->insertSshKey(keyOf("k-3", "bob")));
  const auto keys = run(store->loadSshKeys());
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].owner, "ann");
  EXPECT_EQ(keys[0].lastUsedAt, SystemTime(std::chrono::milliseconds(1000)));
}

TEST_F(SqliteStore, readsOperationsThatEarlierVersionsLeftUnfinished) {
  openSqliteStore(data());
  auto row = [&](const std::string& id, const std::string& kind, const std::string& parameters) {
    std::string body = R"({"id":")" + id + R"(","kind":")" + kind +
                       R"(","instanceId":"i-1","instanceName":"web","owner":"ann","actor":"ann","status":"running",)"
                       R"("createdAt":"2026-11-23T19:04:36.123Z","updatedAt":"2026-11-23T19:04:37.000Z","endedAt":null,"steps":[]})";
    sql("INSERT INTO operations(id, instance_id, owner, status, ended_at, parameters, body) VALUES('" + id +
        "', 'i-1', 'ann', 'running', 0, '" + parameters + "', '" + body + "')");
  };
  row("op-1", "delete", R"({"volumes":true})");
  row("op-2", "restart", R"({"stopped":true,"cancelled":true})");
  row("op-3", "migrate", R"({"provider":"flyio","region":"ams","place":"i-2","phase":"switched","former":"i-1"})");
  auto store = openSqliteStore(data());
  auto unfinished = run(store->unfinishedOperations());
  ASSERT_EQ(unfinished.size(), 3u);
  EXPECT_TRUE(std::get<RemoveParameters>(unfinished[0].parameters).volumes);
  EXPECT_FALSE(unfinished[0].cancelRequested);
  EXPECT_TRUE(std::get<RestartParameters>(unfinished[1].parameters).stopped);
  EXPECT_TRUE(unfinished[1].cancelRequested);
  const auto& move = std::get<MigrateParameters>(unfinished[2].parameters);
  EXPECT_EQ(move.place, PlaceId("i-2"));
  EXPECT_EQ(move.phase, SwitchPhase::switched);
  EXPECT_EQ(move.former, PlaceId("i-1"));
  EXPECT_EQ(run(store->listOperations({})).size(), 3u);
}

/// After a move between the providers, the configuration named a place at each.
TEST_F(SqliteStore, readsTheRegionsOfInstancesAndPlacesOfEarlierVersions) {
  openSqliteStore(data());
  const std::string config = R"({"name":"web","network":{"exposedPorts":[80],"internalNetwork":false,)"
                             R"("docker":{"networkName":"","networkDriver":"bridge","host":"box2"},)"
                             R"("flyio":{"privateNetwork":false,"regions":["ams","fra"],"ipv6":true}}})";
  sql(R"(INSERT INTO instances(id, name, owner, status, agent_secret, body) VALUES('i-1', 'web', 'ann', 'running', '',
         '{"id":"i-1","owner":"ann","provider":"flyio","status":"running","config":)" +
      config + "}')");
  sql(R"(INSERT INTO places(id, instance_id, role, external, body) VALUES('i-2', 'i-1', 'kept', '[]',
         '{"owner":"ann","provider":"docker","region":"box2","createdAt":1,"expiresAt":2,"name":"","files":3,"bytes":4,"config":)" +
      config + "}')");
  sql(R"(INSERT INTO operations(id, instance_id, owner, status, ended_at, parameters, body) VALUES('op-1', 'i-1', 'ann', 'running', 0,
         '{"previous":)" +
      config + R"(,"config":)" + config + R"(}', '{"id":"op-1","kind":"update","instanceId":"i-1","owner":"ann","status":"running"}'))");
  auto store = openSqliteStore(data());
  const auto update = std::get<UpdateParameters>(run(store->unfinishedOperations()).at(0).parameters);
  EXPECT_EQ(update.config.network.regions, (std::vector<std::string>{"ams", "fra"}));
  EXPECT_EQ(update.previous.network.regions, (std::vector<std::string>{"ams", "fra"}));
  const InstanceRecord instance = run(store->loadInstances()).at(0);
  EXPECT_EQ(instance.instance.config.network.regions, (std::vector<std::string>{"ams", "fra"}));
  EXPECT_EQ(instance.instance.config.network.exposedPorts, std::vector<std::int64_t>{80});
  const PlaceRecord place = run(store->loadPlaces()).at(0);
  EXPECT_EQ(place.config.network.regions, std::vector<std::string>{"box2"});
  EXPECT_EQ(place.provider, ProviderType::docker);
  EXPECT_EQ(place.region, "box2");
  EXPECT_EQ(place.bytes, 4);
}

TEST_F(SqliteStore, readsExternalResourcesByTheirStoredNames) {
  run(openSqliteStore(data())->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
  sql("DELETE FROM external_resources");
  std::vector<std::string> names{"container", "network", "volume", "host", "app", "machine", "reader", "of tomorrow"};
  for (const std::string& name : names) sql("INSERT INTO external_resources(instance_id, kind, id) VALUES('i-1', '" + name + "', 'x')");
  const InstanceRecord loaded = run(openSqliteStore(data())->loadInstances()).at(0);
  ASSERT_EQ(loaded.external.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(loaded.external[i].kind.name(), names[i]);
    EXPECT_EQ(loaded.external[i].kind == ResourceKind::unknown, names[i] == "of tomorrow");
  }
}

TEST_F(SqliteStore, aRoleOfANewerVersionPermitsWhatAViewerMayDoAndStaysInTheRow) {
  run(openSqliteStore(data())->insertUser({.name = "ann", .passwordHash = "", .role = Role::user}));
  sql("UPDATE users SET role = 'guardian'");
  {
    auto store = openSqliteStore(data());
    EXPECT_EQ(run(store->getUser("ann"))->role, Role::viewer);
    run(store->changeUser("ann", {.disabled = true}));
  }
  sql("UPDATE users SET role = 'admin' WHERE role = 'guardian'");
  EXPECT_EQ(run(openSqliteStore(data())->getUser("ann"))->role, Role::admin);
}

TEST_F(SqliteStore, readsKindsOfSessionsByTheirStoredNames) {
  // What earlier versions wrote; "" is older than the column, and "of tomorrow" of a newer version.
  const std::vector<std::pair<std::string, SessionKind>> kinds{{"", SessionKind::unknown},
                                                               {"password", SessionKind::password},
                                                               {"password and code", SessionKind::passwordAndCode},
                                                               {"link", SessionKind::link},
                                                               {"invitation", SessionKind::invitation},
                                                               {"invitation and code", SessionKind::invitationAndCode},
                                                               {"machine", SessionKind::machine},
                                                               {"oidc", SessionKind::oidc},
                                                               {"program", SessionKind::program},
                                                               {"of tomorrow", SessionKind::unknown}};
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  {
    auto store = openSqliteStore(data());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      run(store->putSession({.id = "1." + std::to_string(i), .user = "ann", .expiresAt = later, .kind = kinds[i].second}));
    }
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i].first == "of tomorrow") sql("UPDATE sessions SET kind = 'of tomorrow' WHERE id = '1." + std::to_string(i) + "'");
    EXPECT_EQ(textOf("SELECT kind FROM sessions WHERE id = '1." + std::to_string(i) + "'"), kinds[i].first);
  }
  const std::vector<SessionRecord> loaded = run(openSqliteStore(data())->loadSessions());
  ASSERT_EQ(loaded.size(), kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(loaded[i].kind, kinds[i].second) << kinds[i].first;
}

TEST_F(SqliteStore, refusesADatabaseOfANewerVersion) {
  openSqliteStore(data());
  sql("PRAGMA user_version=" + std::to_string(sqlite::latestSchema() + 1));
  Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(error.message(), HasSubstr("written by a newer version"));
}

TEST_F(SqliteStore, refusesADatabaseOfAnotherProgram) {
  std::filesystem::create_directories(data());
  sql("CREATE TABLE theirs(a)");
  EXPECT_THAT(openError().message(), HasSubstr("created by another program"));
}

TEST_F(SqliteStore, saysThatADatabaseIsDamaged) {
  std::filesystem::create_directories(data());
  std::ofstream(file()) << std::string(8192, 'x');
  Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(error.message(), HasSubstr("is damaged"));
  EXPECT_THAT(error.message(), HasSubstr(file().string()));
}

TEST_F(SqliteStore, saysThatPagesInsideAreDamaged) {
  {
    auto store = openSqliteStore(data());
    for (int i = 0; i < 50; ++i) run(store->putSetting("s" + std::to_string(i), std::string(2000, 'v')));
  }
  {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(4096 * 3);
    for (int i = 0; i < 10; ++i) out << std::string(4096, '\x5a');
  }
  EXPECT_THAT(openError().message(), HasSubstr("is damaged"));
}

TEST_F(SqliteStore, opensItsOwnDatabaseAgainWithoutAChange) {
  openSqliteStore(data());
  auto size = std::filesystem::file_size(file());
  openSqliteStore(data());
  EXPECT_EQ(std::filesystem::file_size(file()), size);
}

TEST_F(SqliteStore, saysThatItsFolderIsAFile) {
  std::ofstream(data()) << "x";
  EXPECT_THAT(openError().message(), HasSubstr("is not a folder"));
}

}  // namespace
}  // namespace swarm
