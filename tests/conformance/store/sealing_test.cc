// Secrets in the files of the database: sealed, also those of earlier versions, and opened only with their key file.
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "conformance/store/fixture.h"
#include "gmock/gmock.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

using namespace test;
using testing::HasSubstr;

const std::string kCookieKey = "c00c1e" + std::string(58, '1');
const std::string kSeed = "5eed" + std::string(60, '2');
const std::string kFormerSeed = "f05eed" + std::string(58, '3');
const std::string kAgentKey = "a9e27" + std::string(59, '4');
const std::string kAgentSecret = "5ec2e7" + std::string(58, '5');

class Sealing : public testing::Test {
 protected:
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path key() const { return data() / "secrets.key"; }
  std::filesystem::path file() const { return data() / "swarm.db"; }

  void sql(const std::string& text, bool leaves_log = false) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    if (leaves_log) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  /// As an earlier version left it: plain rows, deleted ones in free pages, and some of both only in the log.
  void makePlainDatabase() {
    run(openSqliteStore(data())->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
    std::filesystem::remove(key());
    sql("PRAGMA secure_delete=OFF; DELETE FROM sealing; DELETE FROM secrets;"
        "INSERT INTO settings VALUES('auth.key', '" +
        kCookieKey +
        "'), ('swarm.id', 'swarm-1');"
        "INSERT INTO token_keys VALUES('k1', '" +
        kSeed + "', 1, 0), ('k0', '" + kFormerSeed +
        "', 1, 2);"
        "UPDATE instances SET agent_key = '" +
        kAgentKey + "';");
    sql("PRAGMA secure_delete=OFF; DELETE FROM token_keys WHERE id = 'k0'; UPDATE instances SET agent_secret = '" + kAgentSecret + "';",
        true);
    for (const std::string& secret : {kCookieKey, kSeed, kFormerSeed, kAgentKey, kAgentSecret})
      ASSERT_THAT(filesWith(secret), testing::Not(testing::IsEmpty())) << "the test can find what it looks for";
  }

  /// Of the data folder.
  std::vector<std::string> filesWith(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(data())) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string content((std::istreambuf_iterator<char>(in)), {});
      if (content.find(text) != std::string::npos) found.push_back(entry.path().filename().string());
    }
    return found;
  }
  void expectSealed() const {
    for (const std::string& secret : {kCookieKey, kSeed, kFormerSeed, kAgentKey, kAgentSecret})
      EXPECT_THAT(filesWith(secret), testing::IsEmpty()) << secret;
  }
  void expectReadable(Store& store) {
    EXPECT_EQ(run(store.getSecret("auth.key"))->reveal(), kCookieKey);
    EXPECT_EQ(run(store.getSetting("auth.key")), std::nullopt);
    EXPECT_EQ(run(store.getSetting("swarm.id")), "swarm-1");
    const auto keys = run(store.loadTokenKeys());
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].seed.reveal(), kSeed);
    const auto instances = run(store.loadInstances());
    ASSERT_EQ(instances.size(), 1u);
    EXPECT_EQ(instances[0].agentKey.reveal(), kAgentKey);
    EXPECT_EQ(instances[0].agentSecret.reveal(), kAgentSecret);
  }
  Error openError() {
    try {
      openSqliteStore(data());
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "it was opened");
  }

  TempDir folder_;
};

TEST_F(Sealing, sealsTheSecretsOfEarlierVersionsAndLeavesNoPlainText) {
  makePlainDatabase();
  {
    auto store = openSqliteStore(data());
    expectSealed();
    expectReadable(*store);
  }
  expectSealed();
  expectReadable(*openSqliteStore(data()));
}

TEST_F(Sealing, continuesAfterAnEndAtAnyPoint) {
  makePlainDatabase();
  const auto copy = folder_.path() / "copy";
  std::filesystem::copy(data(), copy);
  openSqliteStore(data());
  // Ended after the key file was made: nothing is sealed yet.
  std::filesystem::copy(key(), copy / "secrets.key");
  std::filesystem::remove_all(data());
  std::filesystem::rename(copy, data());
  expectReadable(*openSqliteStore(data()));
  expectSealed();
  // Ended after the rows were sealed: former pages are still there.
  sql("PRAGMA secure_delete=OFF; CREATE TABLE former(a); INSERT INTO former VALUES('" + kSeed +
          "'); DROP TABLE former;"
          "UPDATE sealing SET clean = 0",
      true);
  ASSERT_THAT(filesWith(kSeed), testing::Not(testing::IsEmpty()));
  expectReadable(*openSqliteStore(data()));
  expectSealed();
}

TEST_F(Sealing, writesNoSecretInPlainText) {
  auto store = openSqliteStore(data());
  InstanceRecord record = makeRecord("i-1", "web");
  record.agentKey = Secret(kAgentKey);
  record.agentSecret = Secret(kAgentSecret);
  run(store->insertInstance(record, makeOperation("op-1", "i-1")));
  run(store->updateInstance(record));
  run(store->putTokenKey({"k1", Secret(kSeed), SystemTime(std::chrono::seconds(1))}));
  run(store->putSecret("auth.key", Secret(kCookieKey)));
  run(store->putSetting("swarm.id", "swarm-1"));
  expectReadable(*store);
  expectSealed();
  store.reset();
  expectReadable(*openSqliteStore(data()));
  expectSealed();
}

TEST_F(Sealing, keepsTheKeyInTheConfiguredFile) {
  const auto elsewhere = folder_.path() / "key";
  run(openSqliteStore(data(), elsewhere)->putSecret("a", Secret("b")));
  EXPECT_FALSE(std::filesystem::exists(key()));
  EXPECT_EQ(run(openSqliteStore(data(), elsewhere)->getSecret("a"))->reveal(), "b");
  const Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::NotFound);
  EXPECT_FALSE(std::filesystem::exists(key())) << "no key is made for a database that has one";
}

TEST_F(Sealing, saysWhatIsMissingWithoutItsKeyFile) {
  run(openSqliteStore(data())->putSecret("a", Secret("b")));
  const auto kept = folder_.path() / "kept";
  std::filesystem::rename(key(), kept);
  Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::NotFound);
  EXPECT_THAT(error.message(), HasSubstr(file().string()));
  EXPECT_THAT(error.message(), HasSubstr("the key file " + key().string() + " does not exist"));
  EXPECT_THAT(error.message(), HasSubstr("Restore it from a backup"));
  EXPECT_FALSE(std::filesystem::exists(key()));
  std::filesystem::rename(kept, key());
  EXPECT_EQ(run(openSqliteStore(data())->getSecret("a"))->reveal(), "b");
}

TEST_F(Sealing, refusesTheKeyFileOfAnotherDatabase) {
  run(openSqliteStore(data())->putSecret("a", Secret("b")));
  openSqliteStore(folder_.path() / "other");
  std::filesystem::copy_file(folder_.path() / "other" / "secrets.key", key(), std::filesystem::copy_options::overwrite_existing);
  const Error error = openError();
  EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(error.message(), HasSubstr("they require the key"));
  EXPECT_THAT(error.message(), HasSubstr("Restore the key file that belongs to this database"));
}

TEST_F(Sealing, refusesAKeyFileThatOthersMayRead) {
  openSqliteStore(data());
  ::chmod(key().c_str(), 0644);
  EXPECT_EQ(openError().code(), ErrorCode::PermissionDenied);
}

TEST_F(Sealing, saysWhichSecretWasExchanged) {
  {
    auto store = openSqliteStore(data());
    run(store->insertInstance(makeRecord("i-1", "web"), makeOperation("op-1", "i-1")));
    run(store->insertInstance(makeRecord("i-2", "web2"), makeOperation("op-2", "i-2")));
  }
  sql("UPDATE instances SET agent_key = (SELECT agent_key FROM instances WHERE id = 'i-1') WHERE id = 'i-2'");
  auto store = openSqliteStore(data());
  EXPECT_THAT(errorOf(store->loadInstances()).message(), HasSubstr("agent's key of workspace i-2 in the database is damaged"));
}

}  // namespace
}  // namespace swarm
