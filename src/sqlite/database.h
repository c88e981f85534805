// A thin RAII layer over SQLite's C interface; only database.cc uses that interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace swarm::sqlite {

/// The types of a statement's parameter.
using Value = std::variant<std::int64_t, std::string_view>;

class Database;

/// The rows of one query. Columns count from 0. Its destruction releases the statement for the next use.
class Rows {
 public:
  Rows(Rows&& other) noexcept;
  ~Rows();
  bool next();  ///< false at the end
  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  friend class Database;
  Rows(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Database& database_;
  sqlite3_stmt* statement_;
};

/// One connection, used by one thread at a time. Throws Error: OutOfResources (disk full), AlreadyExists (a unique key is taken; cause
/// names it), Unprocessable (damaged), Unavailable (any other disk failure), Internal.
class Database {
 public:
  /// WAL, synchronous=FULL, foreign keys, deleted content overwritten, and the file's lock held until destruction: no shared-memory file,
  /// which a full disk can corrupt.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one statement to its end and returns the number of rows it changed. `sql` must be a literal: prepared statements are cached by
  /// its address.
  std::int64_t execute(const char* sql, std::initializer_list<Value> values = {});
  Rows query(const char* sql, std::initializer_list<Value> values = {});
  /// Runs several statements; for schemas and pragmas.
  void script(const std::string& sql);
  /// Whether a transaction is open (SQLite may have rolled it back when the disk was full).
  bool inTransaction() const;
  /// Runs `work` between BEGIN IMMEDIATE and COMMIT; rolls back and rethrows when it throws.
  void transaction(const std::function<void()>& work);
  void rollback() noexcept;

 private:
  friend class Rows;
  sqlite3_stmt* prepare(const char* sql, std::initializer_list<Value> values);
  [[noreturn]] void fail(int code);

  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
  std::map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace swarm::sqlite
