// SqliteStore: a folder for a database, and access to the database behind the store's back.
#pragma once

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "conformance/store/fixture.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm::test {

class SqliteStore : public testing::Test {
 protected:
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path file() const { return data() / "swarm.db"; }
  Error openError() {
    try {
      openSqliteStore(data());
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "it was opened");
  }
  void sql(const std::string& text) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
  /// The first column of the first row.
  std::string textOf(const std::string& query) {
    sqlite3* handle = nullptr;
    std::string text = "(none)";
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0] ? values[0] : "(null)";
      return 0;
    };
    EXPECT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, query.c_str(), take, &text, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
    return text;
  }

  TempDir folder_;
};

}  // namespace swarm::test
