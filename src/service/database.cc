#include "database.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "state_folder.h"

namespace smpc {
namespace {

[[noreturn]] void fail_database(sqlite3* db, const std::string& doing) {
  std::string why = db != nullptr ? sqlite3_errmsg(db) : "out of memory";
  const int code = db != nullptr ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
  if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL) {  // what the system said then
    if (const int error = sqlite3_system_errno(db); error != 0) why += " (" + std::string(std::strerror(error)) + ")";
  }
  throw Error(ErrorKind::bad_input, "the state folder: cannot " + doing + ": " + why);
}

void open_database(sqlite3*& db, const std::filesystem::path& path) {
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (code != SQLITE_OK) {
    if (const int error = db != nullptr ? sqlite3_system_errno(db) : 0; error != 0) fail_file(path, "open", error);
    fail_database(db, "open " + path.string());
  }
  // SQLite opens what it may not write, and says so at the first write alone.
  if (sqlite3_db_readonly(db, "main") == 1) fail_file(path, "write", ::access(path.c_str(), W_OK) != 0 ? errno : EACCES);
}

}  // namespace

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr) != SQLITE_OK) {
    fail_database(db, "read its database");
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::reset() {
  sqlite3_reset(statement_);
  next_ = 1;
  return *this;
}

Statement& Statement::bind(ByteView blob) {
  SMPC_CHECK(sqlite3_bind_blob64(statement_, next_++, blob.data(), blob.size(), nullptr) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  SMPC_CHECK(sqlite3_bind_int64(statement_, next_++, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  // A copy: SQLite calls it SQLITE_TRANSIENT, a cast that -Wold-style-cast forbids; text64 with a null destructor
  // would keep the caller's memory, which lives until the statement runs.
  SMPC_CHECK(sqlite3_bind_text64(statement_, next_++, text.data(), text.size(), nullptr, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

int Statement::step_code() { return sqlite3_step(statement_); }

bool Statement::step() {
  const int code = step_code();
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail_database(db_, "use its database");
  return false;
}

bool Statement::run_unless_there() {
  const int code = step_code();
  if (code == SQLITE_CONSTRAINT) return false;
  if (code != SQLITE_DONE) fail_database(db_, "write its journal");
  return true;
}

bool Statement::run_where_there() {
  run();
  return sqlite3_changes(db_) > 0;
}

void Statement::run() {
  if (step_code() != SQLITE_DONE) fail_database(db_, "write its journal");
}

Bytes Statement::blob(int column) const {
  const auto* p = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  const auto n = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return n == 0 ? Bytes() : Bytes(p, p + n);
}

SecretBytes Statement::secret(int column) const {
  const auto* p = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  const auto n = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return n == 0 ? SecretBytes() : SecretBytes(p, p + n);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const Bytes b = blob(column);
  return std::string(as_text(b));
}

Database::Database(const std::filesystem::path& path, const char* schema) {
  take_state_folder(path.parent_path(), path.filename().string());
  try {
    open_database(db_, path);
    ::chmod(path.c_str(), 0600);
    sqlite3_busy_timeout(db_, 10'000);
    execute("PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=FULL");
    execute("PRAGMA secure_delete=ON");
    execute(schema);
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

Database::~Database() { sqlite3_close(db_); }

void Database::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail_database(db_, "use its database");
}

void Database::bring_up_to_date(std::int64_t version, const std::string& tool, const std::function<void()>& upgrade) {
  Transaction transaction(*this);
  const std::int64_t found = [&] {
    Statement row = prepare("PRAGMA user_version");
    SMPC_CHECK(row.step());
    return row.integer(0);
  }();
  if (found > version) {
    fail_input("the state folder: expected tables of version " + std::to_string(version) + ", found " + std::to_string(found) +
               ": a newer " + tool + " has used it; update this one");
  }
  if (found < version) {
    upgrade();
    execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
  }
  transaction.commit();
}

Database::Transaction::~Transaction() {
  if (!done_) sqlite3_exec(db_.db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::Transaction::commit() {
  db_.execute("COMMIT");
  done_ = true;
}

Database::WithoutWiping::~WithoutWiping() { sqlite3_exec(db_.db_, "PRAGMA secure_delete=ON", nullptr, nullptr, nullptr); }

}  // namespace smpc
