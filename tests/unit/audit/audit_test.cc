// The log as a whole: order, coalescing, limits, tampering, pruning, crashes.
#include "audit/audit.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <future>

#include "base/text/format.h"
#include "base/text/json_access.h"
#include "gmock/gmock.h"
#include "model/codec/codec.h"
#include "store/sqlite/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/memory_audit.h"
#include "support/temp_dir.h"

namespace swarm {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
T run(awaitable<T> work) {
  boost::asio::io_context context;
  std::future<T> result = boost::asio::co_spawn(context, std::move(work), boost::asio::use_future);
  context.run();  // also waits for the store's thread
  return result.get();
}

AuditRecord by(const std::string& user, const std::string& action, const std::string& object = "web1") {
  return {.action = action, .user = user, .session = "s-" + user, .address = "192.0.2.7", .kind = "instance", .object = object};
}

awaitable<void> nothing() { co_return; }
awaitable<void> killThis() {
  ::kill(::getpid(), SIGKILL);
  co_return;
}

class AuditTest : public testing::Test {
 protected:
  AuditTest() { reopen(); }
  void reopen() {
    audit_.reset();
    store_.reset();
    store_ = openSqliteStore(dir_ / "data");
    audit_ = std::make_unique<Audit>(store_->audit(), clock_, rules_);
    run(audit_->open());
  }
  /// Changes the database behind the server's back.
  void tamper(const std::string& sql) {
    audit_.reset();
    store_.reset();
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((dir_ / "data" / "swarm.db").c_str(), &handle), SQLITE_OK);
    const std::string unlocked = "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete; " + sql;
    EXPECT_EQ(sqlite3_exec(handle, unlocked.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
    reopen();
  }
  std::string fault(std::optional<AuditHead> kept = {}) { return run(audit_->verify(std::move(kept))).fault; }
  void recordMany(int count) {
    for (int i = 0; i < count; ++i) run(audit_->record(by("ann", "signIn", "n" + std::to_string(i))));
  }
  std::vector<AuditRecord> list(AuditFilter filter = {}) {
    std::vector<AuditRecord> records;
    for (const AuditRow& row : run(audit_->list(std::move(filter), 0, 500)).rows)
      records.push_back(fromJson<AuditRecord>(boost::json::parse(row.body)));
    return records;
  }

  test::TempDir dir_;
  ManualClock clock_;
  AuditRules rules_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditTest, recordsAChangeBeforeAndAfterIt) {
  AuditChain during;
  auto change = [&]() -> awaitable<void> { during = co_await store_->audit().chain(); };
  run(audit_->change(by("ann", "stopInstance"), change()));
  EXPECT_EQ(during.head.sequence, 1) << "the intent is there before the effect";
  const auto records = list();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].result, AuditResult::begun);
  EXPECT_EQ(records[0].result, AuditResult::done);
  EXPECT_EQ(records[0].completes, records[1].sequence);
  EXPECT_EQ(records[0].time, clock_.now());
  EXPECT_EQ(fault(), "");
}

TEST_F(AuditTest, recordsTheErrorOfAChangeAndPassesItOn) {
  auto refused = []() -> awaitable<void> {
    throw Error(ErrorCode::PermissionDenied, "Your role does not allow this.");
    co_return;
  };
  EXPECT_THROW(run(audit_->change(by("ann", "stopInstance"), refused())), Error);
  ASSERT_EQ(list().size(), 2U);
  EXPECT_EQ(list()[0].result, AuditResult::refused);
  EXPECT_EQ(list()[0].detail, "Your role does not allow this.");
}

TEST_F(AuditTest, doesNotMakeAChangeThatItCannotRecord) {
  test::MemoryAudit full;
  full.failure = Error(ErrorCode::OutOfResources, "The disk is full.");
  Audit audit(full, clock_);
  bool changed = false;
  auto change = [&]() -> awaitable<void> {
    changed = true;
    co_return;
  };
  try {
    run(audit.change(by("ann", "stopInstance"), change()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources);
    EXPECT_THAT(error.message(), HasSubstr("Nothing was changed, because the change cannot be recorded"));
  }
  EXPECT_FALSE(changed);
  EXPECT_THROW(run(audit.enter(by("ann", "openVscode"))), Error);
  run(audit.refuse(by("", "signIn")));
  run(audit.change(by("ann", "signOut"), change(), Audit::Unrecorded::Allow));
  EXPECT_TRUE(changed) << "the end of a session is never refused";
}

TEST_F(AuditTest, recordsEntriesOnceInAnInterval) {
  const SteadyTime until = run(audit_->enter(by("ann", "openVscode")));
  EXPECT_EQ(until, clock_.steadyNow() + minutes(15));
  EXPECT_EQ(run(audit_->enter(by("ann", "openVscode"))), until);
  run(audit_->enter(by("ann", "openPort")));
  run(audit_->enter(by("ann", "openVscode", "web2")));
  run(audit_->enter(by("ben", "openVscode")));
  EXPECT_EQ(list().size(), 4U);
  clock_.advance(minutes(15));
  run(audit_->enter(by("ann", "openVscode")));
  run(audit_->enter(by("ann", "openVscode")));
  EXPECT_EQ(list().size(), 5U);
}

TEST_F(AuditTest, recordsAnEntryAgainWhenTheRecordFailed) {
  test::MemoryAudit memory;
  Audit audit(memory, clock_);
  run(audit.enter(by("ann", "openVscode")));
  clock_.advance(minutes(16));
  memory.failure = Error(ErrorCode::OutOfResources, "The disk is full.");
  EXPECT_THROW(run(audit.enter(by("ann", "openVscode"))), Error);
  EXPECT_THROW(run(audit.enter(by("ann", "openVscode"))), Error) << "also the next one";
  memory.failure.reset();
  run(audit.enter(by("ann", "openVscode")));
  EXPECT_EQ(memory.of("openVscode").size(), 2U);
}

TEST_F(AuditTest, limitsRefusalsAndCountsThoseThatItLeavesOut) {
  run(audit_->refuse(by("", "signIn", "root")));
  run(audit_->refuse(by("", "signIn", "root")));
  EXPECT_EQ(list().size(), 1U) << "the same again";
  for (int i = 0; i < 1000; ++i) run(audit_->refuse(by("", "signIn", "user" + std::to_string(i))));
  const std::size_t recorded = list().size();
  EXPECT_LT(recorded, 210U);
  clock_.advance(minutes(1));
  run(audit_->refuse(by("", "signIn", "last")));
  EXPECT_THAT(list()[0].detail, HasSubstr(std::to_string(1001 - recorded) + " like this before it were left out"));
}

TEST_F(AuditTest, aFloodOfRefusalsHidesNeitherThoseOfUsersNorThoseOfOthers) {
  AuditRecord flood = by("", "signIn");
  for (int i = 0; i < 1000; ++i) {
    flood.address = format("198.51.{}.{}", i / 250, i % 250);
    run(audit_->refuse(flood));
  }
  for (int i = 0; i < 1000; ++i) run(audit_->refuse(by("ann", "openVscode", format("web{}", i))));
  run(audit_->refuse(by("ben", "openVscode")));
  EXPECT_EQ(list({.user = "ben"}).size(), 1U);
  EXPECT_LT(list({.user = "ann"}).size(), 60U);
}

TEST_F(AuditTest, cutsAndCleansHostileTexts) {
  AuditRecord record = by(std::string(10'000, 'u'), std::string(10'000, 'a'), "\x1b]0;owned\x07\xe2\x80\xae");
  record.client = std::string(100'000, 'c') + "\n";
  record.detail = std::string("\xff\0\r\n", 4);
  for (int i = 0; i < 1000; ++i) record.after["m" + std::to_string(i)] = std::string(100, 'v');
  run(audit_->record(record));
  const auto page = run(audit_->list({}, 0, 1));
  EXPECT_LT(page.rows[0].body.size(), Audit::kMaxBody);
  for (const char c : page.rows[0].body) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  EXPECT_EQ(page.rows[0].body.find("\xe2\x80\xae"), std::string::npos) << "it would reverse the text after it";
  EXPECT_TRUE(boolAt(boost::json::parse(page.rows[0].body), "after.truncated"));
}

TEST_F(AuditTest, pagesFromTheNewestAndExportsFromTheOldest) {
  recordMany(7);
  std::vector<std::int64_t> seen;
  std::int64_t before = 0;
  do {
    const AuditPage page = run(audit_->list({}, before, 3));
    for (const AuditRow& row : page.rows) seen.push_back(row.sequence);
    before = page.next;
  } while (before > 0);
  EXPECT_THAT(seen, ElementsAre(7, 6, 5, 4, 3, 2, 1));
  seen.clear();
  std::int64_t after = 0;
  do {
    const AuditPage page = run(audit_->readAfter({}, after, 3));
    for (const AuditRow& row : page.rows) seen.push_back(row.sequence);
    after = page.next;
  } while (after > 0);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(AuditTest, filtersByUserActionObjectResultAndTime) {
  run(audit_->record(by("ann", "signIn")));
  clock_.advance(hours(1));
  const SystemTime second = clock_.now();
  run(audit_->change(by("ben", "stopInstance", "web2"), nothing()));
  clock_.advance(hours(1));
  run(audit_->refuse(by("ann", "stopInstance", "web2")));
  EXPECT_EQ(list({.user = "ann"}).size(), 2U);
  EXPECT_EQ(list({.action = "stopInstance"}).size(), 3U);
  EXPECT_EQ(list({.action = "stopInstance", .withBegun = false}).size(), 2U);
  EXPECT_EQ(list({.object = "web2"}).size(), 3U);
  EXPECT_EQ(list({.result = AuditResult::refused}).size(), 1U);
  EXPECT_EQ(list({.result = AuditResult::begun, .withBegun = false}).size(), 1U);
  EXPECT_EQ(list({.since = second}).size(), 3U);
  EXPECT_EQ(list({.until = second}).size(), 1U);
  EXPECT_EQ(list({.user = "ann", .object = "web2", .since = second}).size(), 1U);
  EXPECT_EQ(list({.user = "' OR 1=1 --"}).size(), 0U);
}

TEST_F(AuditTest, theDatabaseRefusesToChangeOrDeleteRecords) {
  recordMany(2);
  audit_.reset();
  store_.reset();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((dir_ / "data" / "swarm.db").c_str(), &handle), SQLITE_OK);
  for (const char* sql : {"UPDATE audit SET user = 'ben'", "DELETE FROM audit WHERE seq = 1", "DELETE FROM audit"})
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_CONSTRAINT) << sql;
  sqlite3_close(handle);
  reopen();
  EXPECT_EQ(list().size(), 2U);
}

TEST_F(AuditTest, findsTheFirstRecordThatWasChangedOrRemoved) {
  recordMany(6);
  EXPECT_EQ(fault(), "");
  tamper("UPDATE audit SET body = replace(body, 'ann', 'ben'), user = 'ben' WHERE seq IN (3, 5)");
  EXPECT_EQ(fault(), "record 3 was changed");
  EXPECT_EQ(run(audit_->verify({})).last.sequence, 2);
}

TEST_F(AuditTest, findsARecordThatIsHiddenFromFilters) {
  recordMany(3);
  tamper("UPDATE audit SET user = 'eve' WHERE seq = 2");
  EXPECT_EQ(fault(), "record 2 is hidden from filters");
}

TEST_F(AuditTest, findsRemovedRecordsInTheMiddleAndAtTheBeginning) {
  recordMany(6);
  tamper("DELETE FROM audit WHERE seq IN (3, 4)");
  EXPECT_EQ(fault(), "records 3 to 4 are missing");
  tamper("DELETE FROM audit WHERE seq <= 2");
  EXPECT_EQ(fault(), "records 1 to 4 are missing");
}

TEST_F(AuditTest, findsRecordsThatWereRemovedAtTheEndWithAHeadThatWasKept) {
  recordMany(6);
  const AuditHead kept = run(audit_->verify({})).last;
  EXPECT_EQ(fault(kept), "");
  recordMany(1);
  EXPECT_EQ(fault(kept), "") << "the log went on";
  tamper("DELETE FROM audit WHERE seq > 4");
  EXPECT_EQ(fault(), "records 5 to 7 are missing") << "the database's own head";
  tamper("UPDATE audit_chain SET head = 4, head_hash = (SELECT hash FROM audit WHERE seq = 4)");
  EXPECT_EQ(fault(), "") << "a careful attacker";
  EXPECT_EQ(fault(kept), "records 5 to 6 are missing");
  recordMany(5);
  EXPECT_EQ(fault(kept), "record 6 is another one than the given one");
}

TEST_F(AuditTest, findsRecordsThatWereRemovedAtTheBeginningAsIfByTheirAge) {
  recordMany(6);
  tamper("UPDATE audit_chain SET anchor = 3, anchor_hash = (SELECT hash FROM audit WHERE seq = 3); DELETE FROM audit WHERE seq <= 3");
  EXPECT_EQ(fault(), "records 1 to 3 are missing");
}

TEST_F(AuditTest, doesNotExportPastRecordsThatWereRemovedInTheMeantime) {
  recordMany(5);
  const AuditPage page = run(audit_->readAfter({}, 0, 2));
  clock_.advance(hours(24 * 400));
  recordMany(1);
  run(audit_->prune());
  EXPECT_THROW(run(audit_->readAfter({}, page.next, 2)), Error);
  EXPECT_EQ(run(audit_->readAfter({}, 0, 10)).rows.front().sequence, 6);
}

TEST_F(AuditTest, findsAReplacedLastRecord) {
  recordMany(2);
  tamper("UPDATE audit_chain SET head_hash = printf('%064d', 1)");
  EXPECT_EQ(fault(), "record 2 was replaced");
}

TEST_F(AuditTest, removesOldRecordsAndKeepsTheRestVerifiable) {
  recordMany(5);
  const AuditHead third{3, run(audit_->list({}, 4, 1)).rows[0].hash};
  const AuditHead fifth{5, run(audit_->list({}, 0, 1)).rows[0].hash};
  clock_.advance(hours(24 * 300));
  recordMany(2);
  clock_.advance(hours(24 * 100));
  run(audit_->prune());
  const auto records = list();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].action, "pruneAudit");
  EXPECT_EQ(integerAt(records[0].after, "through"), 5);
  EXPECT_EQ(fault(), "");
  EXPECT_EQ(run(audit_->verify({})).first, 6);
  EXPECT_EQ(fault(fifth), "") << "the anchor";
  EXPECT_EQ(fault(AuditHead{5, third.hash}), "record 5 is another one than the given one");
  EXPECT_THAT(fault(third), HasSubstr("was removed by its age"));
  run(audit_->prune());
  EXPECT_EQ(list().size(), 3U) << "nothing is old any more, and nothing was recorded";
  reopen();
  EXPECT_EQ(fault(), "");
  tamper("DELETE FROM audit WHERE seq = 6");
  EXPECT_EQ(fault(), "records 6 to 6 are missing");
}

TEST_F(AuditTest, staysBelowItsSize) {
  rules_.maxBytes = 20'000;
  reopen();
  recordMany(200);
  EXPECT_LE(run(store_->audit().chain()).bytes, 20'000);
  EXPECT_GT(run(store_->audit().chain()).bytes, 15'000);
  EXPECT_EQ(fault(), "");
  EXPECT_EQ(list({.action = "signIn"})[0].object, "n199") << "the newest stay";
}

TEST_F(AuditTest, recordsTheResultOfAnInterruptedChangeAsUnknown) {
  audit_.reset();
  store_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = openSqliteStore(dir_ / "data");
    Audit audit(store->audit(), clock_);
    run(audit.change(by("ann", "signIn"), nothing()));
    run(audit.change(by("ann", "deleteInstance"), killThis()));
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  reopen();
  const auto records = list();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].result, AuditResult::unknown);
  EXPECT_EQ(records[0].action, "deleteInstance");
  EXPECT_EQ(records[0].user, "ann");
  EXPECT_EQ(records[0].completes, records[1].sequence);
  EXPECT_EQ(fault(), "");
  reopen();
  EXPECT_EQ(list().size(), 4U) << "once";
}

}  // namespace
}  // namespace swarm
