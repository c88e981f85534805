// A database with one table, in memory's own file system: each commit syncs, and the disk may be busy.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "base/error.h"
#include "sqlite/database.h"
#include "support/temp_dir.h"

namespace swarm::sqlite {

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() : file((std::ofstream(folder / "test.db"), folder / "test.db")) {
    database.emplace(file);
    database->script(
        "CREATE TABLE owners(name TEXT PRIMARY KEY);"
        "CREATE TABLE items(name TEXT UNIQUE, size INTEGER, owner TEXT REFERENCES owners(name) DEFERRABLE INITIALLY DEFERRED);");
  }
  void insert(const std::string& name, std::int64_t size = 0) {
    database->execute("INSERT INTO items(name, size) VALUES(?, ?)", {std::string_view(name), size});
  }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    Rows rows = database->query("SELECT name FROM items ORDER BY name");
    while (rows.next()) found.push_back(rows.text(0));
    return found;
  }
  static Error errorOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::Internal, "nothing was thrown");
  }

  test::TempDir folder{"/dev/shm"};
  std::filesystem::path file;
  std::optional<Database> database;
};

}  // namespace swarm::sqlite
