#include "server_state.h"

#include <algorithm>
#include <ctime>

#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {
namespace {

const char* const server_schema = R"(
CREATE TABLE IF NOT EXISTS server (
  one INTEGER PRIMARY KEY CHECK (one = 1), instance BLOB NOT NULL, epoch INTEGER NOT NULL,
  id_key BLOB NOT NULL, root_key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS used (
  serial BLOB PRIMARY KEY, client TEXT NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_by_client ON used (client);
)";

Key key_of(const SecretBytes& bytes) {
  SMPC_CHECK(bytes.size() == 32);
  return Key{ByteView(bytes).first<32>()};
}

// Before version 1 dealers were given the key itself. It is no secret from them, so another takes its place.
constexpr std::int64_t server_tables = 1;

void replace_shared_key(Database& db) {
  Statement old = db.prepare("SELECT 1 FROM pragma_table_info('server') WHERE name = 'shared_key'");
  const bool is_old = old.step();
  old.reset();
  if (!is_old) return;
  const Key fresh = random_key();
  db.execute("ALTER TABLE server RENAME COLUMN shared_key TO root_key");
  db.prepare("UPDATE server SET root_key = ?").bind(ByteView(fresh.reveal())).run();
}

}  // namespace

ServerState::ServerState(const std::filesystem::path& folder) : db_(folder / "server.db", "") {
  db_.bring_up_to_date(server_tables, "smpc-server", [&] { replace_shared_key(db_); });
  db_.execute(server_schema);
  Database::Transaction transaction(db_);
  Instance fresh{};
  os_random(fresh);
  const Key id_key = random_key();
  const Key root = random_key();
  db_.prepare("INSERT OR IGNORE INTO server VALUES (1, ?, 1, ?, ?)")
      .bind(ByteView(fresh))
      .bind(ByteView(id_key.reveal()))
      .bind(ByteView(root.reveal()))
      .run();
  {
    Statement row = db_.prepare("SELECT instance, epoch, id_key, root_key FROM server");
    SMPC_CHECK(row.step());
    const Bytes instance = row.blob(0);
    SMPC_CHECK(instance.size() == instance_.size());
    std::copy(instance.begin(), instance.end(), instance_.begin());
    epoch_ = static_cast<std::uint64_t>(row.integer(1));
    id_key_ = key_of(row.secret(2));
    root_ = key_of(row.secret(3));
  }
  transaction.commit();
}

std::uint64_t ServerState::bump_epoch() {
  db_.execute("UPDATE server SET epoch = epoch + 1");
  return ++epoch_;
}

std::uint64_t ServerState::used(const std::string& client) {
  Statement row = client.empty() ? db_.prepare("SELECT count(*) FROM used")
                                 : db_.prepare("SELECT count(*) FROM used WHERE client = ?");
  if (!client.empty()) row.bind(std::string_view(client));
  SMPC_CHECK(row.step());
  return static_cast<std::uint64_t>(row.integer(0));
}

ServerState::Reserve ServerState::reserve(const std::vector<Serial>& serials, const std::string& client,
                                          std::uint64_t quota, std::uint64_t quota_total) {
  const std::scoped_lock guard(db_.mutex());
  for (const Serial& s : serials) {
    if (in_use_.contains(s)) return Reserve::spent;
    Statement row = db_.prepare("SELECT 1 FROM used WHERE serial = ?");
    row.bind(ByteView(s));
    if (row.step() && !sabotaged(Sabotage::bundle_reused)) return Reserve::spent;
  }
  if (quota > 0 && used(client) + in_use_by_.count(client) + serials.size() > quota) return Reserve::over_quota;
  if (quota_total > 0 && used("") + in_use_.size() + serials.size() > quota_total) return Reserve::over_quota;
  for (const Serial& s : serials) {
    in_use_.insert(s);
    in_use_by_.insert(client);
  }
  return Reserve::done;
}

void ServerState::release(const std::vector<Serial>& serials, const std::string& client) noexcept {
  const std::scoped_lock guard(db_.mutex());
  forget(serials, client);
}

void ServerState::forget(const std::vector<Serial>& serials, const std::string& client) noexcept {
  for (const Serial& s : serials) {
    if (in_use_.erase(s) == 0) continue;
    if (const auto it = in_use_by_.find(client); it != in_use_by_.end()) in_use_by_.erase(it);
  }
}

void ServerState::record(const AuditSubject& subject) {
  const std::scoped_lock guard(db_.mutex());
  Database::Transaction transaction(db_);
  Statement insert = db_.prepare("INSERT INTO used VALUES (?, ?, ?)");
  for (const Serial& s : subject.bundles) {
    const bool fresh = insert.reset()
                           .bind(ByteView(s))
                           .bind(std::string_view(subject.peer))
                           .bind(static_cast<std::int64_t>(std::time(nullptr)))
                           .run_unless_there();
    if (!fresh && !sabotaged(Sabotage::bundle_reused)) fail_peer("a bundle was used already");
  }
  insert.reset();
  audit_.begun(subject);
  transaction.commit();
  forget(subject.bundles, subject.peer);  // the journal counts them from here on; twice would use up a quota too early
}

void ServerState::record_end(const AuditSubject& subject, const Traffic& run) {
  const std::scoped_lock guard(db_.mutex());
  audit_.completed(subject, run);
}

void ServerState::record_failure(const AuditSubject& subject, const Traffic& run) noexcept {
  const std::scoped_lock guard(db_.mutex());
  audit_.failed(subject, run);
}

void ServerState::record_refusal(const AuditSubject& subject, std::string_view rule) {
  const std::scoped_lock guard(db_.mutex());
  audit_.refused(subject, rule);
}

}  // namespace smpc
