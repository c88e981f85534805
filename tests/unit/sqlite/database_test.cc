// Statements, transactions, and which Error a failure of SQLite is.
#include "sqlite/database.h"

#include <gmock/gmock.h>

#include "unit/sqlite/fixture.h"

namespace swarm::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using SqliteDatabase = SqliteTest;

TEST_F(SqliteDatabase, keepsTextAndNumbersAsTheyAre) {
  using namespace std::string_literals;
  insert("with a zero\0 and \xff"s, -9'000'000'000);
  insert("", 1);
  Rows rows = database->query("SELECT name, size, typeof(name) FROM items ORDER BY size");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.text(0), "with a zero\0 and \xff"s);
  EXPECT_EQ(rows.integer(1), -9'000'000'000);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.text(0), "");
  EXPECT_EQ(rows.text(2), "text") << "an empty text is not NULL";
  EXPECT_FALSE(rows.next());
}

TEST_F(SqliteDatabase, bindsAViewOfNothingAsAnEmptyText) {
  database->execute("INSERT INTO items(name, size) VALUES(?, 1)", {std::string_view()});
  Rows rows = database->query("SELECT count(*) FROM items WHERE name = ''");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 1);
}

TEST_F(SqliteDatabase, countsTheRowsThatAStatementChanged) {
  for (const char* name : {"a", "b", "c"}) insert(name, 5);
  EXPECT_EQ(database->execute("UPDATE items SET size = 6 WHERE name < ?", {std::string_view("c")}), 2);
  EXPECT_EQ(database->execute("DELETE FROM items WHERE size = ?", {std::int64_t{7}}), 0);
}

TEST_F(SqliteDatabase, startsAQueryAgainThatWasNotReadToItsEnd) {
  for (const char* name : {"a", "b"}) insert(name);
  for (int round = 0; round < 2; ++round) {
    Rows rows = database->query("SELECT name FROM items ORDER BY name");
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.text(0), "a") << "the statement is prepared once, and released with its rows";
  }
}

TEST_F(SqliteDatabase, commitsATransactionOrNothingOfIt) {
  database->transaction([&] { insert("kept"); });
  EXPECT_THROW(database->transaction([&] {
    insert("dropped");
    EXPECT_TRUE(database->inTransaction());
    throw std::runtime_error("the work failed");
  }),
               std::runtime_error);
  EXPECT_FALSE(database->inTransaction());
  EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(SqliteDatabase, rollsBackWhenTheCommitFails) {
  const Error error =
      errorOf([&] { database->transaction([&] { database->execute("INSERT INTO items(name, owner) VALUES('x', 'unknown')"); }); });
  EXPECT_EQ(error.code(), ErrorCode::Internal) << "foreign keys are enforced";
  EXPECT_FALSE(database->inTransaction());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(SqliteDatabase, saysThatAKeyIsTakenAndWhich) {
  insert("a");
  const Error error = errorOf([&] { insert("a"); });
  EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
  EXPECT_THAT(error.cause(), HasSubstr("items.name"));
}

TEST_F(SqliteDatabase, keepsSqlOutOfTheMessageOfAnInternalError) {
  const Error error = errorOf([&] { database->execute("SELECT secret FROM nowhere"); });
  EXPECT_EQ(error.code(), ErrorCode::Internal);
  EXPECT_THAT(error.message(), Not(HasSubstr("nowhere")));
  EXPECT_THAT(error.cause(), HasSubstr("nowhere"));
}

TEST_F(SqliteDatabase, rejectsAFileThatIsNotADatabase) {
  const auto other = folder.write("other.db", std::string(4096, 'x'));
  EXPECT_EQ(errorOf([&] { Database{other}; }).code(), ErrorCode::Unprocessable);
}

TEST_F(SqliteDatabase, createsNoFile) {
  EXPECT_EQ(errorOf([&] { Database{folder / "missing.db"}; }).code(), ErrorCode::Unavailable);
  EXPECT_FALSE(std::filesystem::exists(folder / "missing.db"));
}

TEST_F(SqliteDatabase, needsNoSharedMemoryFile) {
  insert("a");
  EXPECT_TRUE(std::filesystem::exists(folder / "test.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(folder / "test.db-shm"));
}

}  // namespace
}  // namespace swarm::sqlite
