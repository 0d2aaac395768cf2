// SQLite, as journals need it: WAL, synchronous=FULL, secure_delete, one connection per object, used under its mutex.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/base/secret.h"

struct sqlite3;
struct sqlite3_stmt;

namespace smpc {

class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(ByteView blob);
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& reset();  // to be bound and run again
  bool step();         // true: a row
  // For an INSERT: false when a uniqueness constraint forbids it.
  bool run_unless_there();
  // For an UPDATE: false when no row was changed.
  bool run_where_there();
  void run();

  Bytes blob(int column) const;
  SecretBytes secret(int column) const;  // a blob
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  int step_code();
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
};

class Database {
 public:
  // Opens or makes `path` (0600, its folder 0700). `schema`: CREATE TABLE IF NOT EXISTS ...
  Database(const std::filesystem::path& path, const char* schema);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Statement prepare(std::string_view sql) { return Statement(db_, sql); }
  void execute(const char* sql);

  // Tables of an older version (PRAGMA user_version, 0 where nobody has set one) are changed by `upgrade` to be of `version`, in
  // one transaction. Refuses those of a newer one, which a newer `tool` has used.
  void bring_up_to_date(std::int64_t version, const std::string& tool, const std::function<void()>& upgrade);

  // A transaction that is undone unless committed. IMMEDIATE: it holds the write lock from its start.
  class Transaction {
   public:
    explicit Transaction(Database& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }
    ~Transaction();
    void commit();

   private:
    Database& db_;
    bool done_ = false;
  };

  // While it is there, what is deleted is overwritten only where that costs no writing of its own.
  class WithoutWiping {
   public:
    explicit WithoutWiping(Database& db) : db_(db) { db_.execute("PRAGMA secure_delete=FAST"); }
    ~WithoutWiping();
    WithoutWiping(const WithoutWiping&) = delete;
    WithoutWiping& operator=(const WithoutWiping&) = delete;

   private:
    Database& db_;
  };

  std::mutex& mutex() noexcept { return mutex_; }

 private:
  sqlite3* db_ = nullptr;
  std::mutex mutex_;
};

}  // namespace smpc
