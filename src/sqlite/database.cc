// SQLite's C interface, wrapped.
#include "sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::sqlite {
namespace {

/// The errno behind the last failed write, to the database or its WAL. (sqlite3_system_errno() is overwritten by the rollback.)
bool isOutOfSpace(sqlite3* handle) {
  sqlite3_file* wal = nullptr;
  int numbers[2] = {0, 0};
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &numbers[0]);
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal && wal->pMethods)
    wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &numbers[1]);
  for (int number : numbers) {
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) return true;
  }
  return false;
}

}  // namespace

Rows::Rows(Rows&& other) noexcept : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Rows::~Rows() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::next() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

std::string Rows::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data ? std::string(data, size) : std::string();
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_, column); }

Database::Database(const std::filesystem::path& file) : file_(file) {
  int code = sqlite3_open_v2(file.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(handle_, 2000);
    // locking_mode before the first read of the WAL: with it, SQLite keeps the WAL's index in memory instead of a mapped file.
    script(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        "PRAGMA journal_size_limit=16777216; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON; PRAGMA cache_size=-2048;");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

sqlite3_stmt* Database::prepare(const char* sql, std::initializer_list<Value> values) {
  sqlite3_stmt*& statement = statements_[sql];
  if (!statement) {
    if (int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr); code != SQLITE_OK) fail(code);
  }
  int index = 0;
  for (const Value& value : values) {
    ++index;
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, index, *integer);
    } else {
      std::string_view text = std::get<std::string_view>(value);
      code = sqlite3_bind_text64(statement, index, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) fail(code);
  }
  return statement;
}

std::int64_t Database::execute(const char* sql, std::initializer_list<Value> values) {
  Rows rows(*this, prepare(sql, values));
  while (rows.next()) {
  }
  return sqlite3_changes64(handle_);
}

Rows Database::query(const char* sql, std::initializer_list<Value> values) { return Rows(*this, prepare(sql, values)); }

void Database::script(const std::string& sql) {
  if (int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

bool Database::inTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::rollback() noexcept {
  if (inTransaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::transaction(const std::function<void()>& work) {
  execute("BEGIN IMMEDIATE");
  try {
    work();
    execute("COMMIT");
  } catch (...) {
    rollback();
    throw;
  }
}

void Database::fail(int code) {
  std::string cause = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  int primary = code & 0xff;
  std::string file = file_.string();
  bool full = primary == SQLITE_FULL || (primary == SQLITE_IOERR && isOutOfSpace(handle_));
  if (full) {
    throw Error(ErrorCode::OutOfResources,
                "The server's disk is full, so the change cannot be saved. Free some space and try again; nothing saved before was lost.")
        .withRetryable(true)
        .withCause(format("{}: {}", file, cause));  // any user may see the message, and none needs the path
  }
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
    throw Error(ErrorCode::AlreadyExists, "The entry already exists.").withCause(std::move(cause));
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    throw Error(
        ErrorCode::Unprocessable,
        format("The database {} is damaged ({}). Restore it from a backup, or move it away to start with an empty one.", file, cause));
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
    throw Error(ErrorCode::Conflict, format("Another program has opened the database {}; close it and try again.", file))
        .withCause(std::move(cause));
  if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_PERM)
    throw Error(ErrorCode::Unavailable, format("The database {} cannot be read or written: {}.", file, cause));
  throw Error(ErrorCode::Internal, "The database rejected a statement of the server; see the server's log for details.")
      .withCause(std::move(cause));
}

}  // namespace swarm::sqlite
