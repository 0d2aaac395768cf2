#include "client_state.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"
#include "smpc/crypto/sealed_pieces.h"

namespace smpc {
namespace {

// state: 0 unused, 1 spent. Contents are sealed pieces in a table of their own: those of a large network take hundreds of
// megabytes, and SQLite reads and builds a whole row to change a part of it.
const char* const client_schema = R"(
CREATE TABLE IF NOT EXISTS programs (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS offers (address TEXT PRIMARY KEY, server TEXT NOT NULL, program BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS bundles (
  serial BLOB PRIMARY KEY, instance BLOB NOT NULL, epoch INTEGER NOT NULL, program BLOB NOT NULL, mask BLOB NOT NULL,
  expiry INTEGER NOT NULL, state INTEGER NOT NULL, header BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS contents (serial BLOB NOT NULL, piece INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (serial, piece));
CREATE INDEX IF NOT EXISTS unused ON bundles (state, program, mask);
CREATE TABLE IF NOT EXISTS keys (serial BLOB PRIMARY KEY, key BLOB NOT NULL);
)";

const char* const fits = "instance = ? AND epoch = ? AND program = ? AND mask = ? AND state = 0 AND expiry > ?";

Statement& bind(Statement& s, const BundleFilter& f) {
  return s.bind(ByteView(f.instance))
      .bind(static_cast<std::int64_t>(f.epoch))
      .bind(ByteView(f.program))
      .bind(ByteView(f.mask))
      .bind(static_cast<std::int64_t>(std::time(nullptr)));
}

// A folder of before contents had their own table. Those of more than one piece were one then: they are set aside when they
// are opened.
void take_contents_out(Database& db) {
  const auto together = [&] { return db.prepare("SELECT 1 FROM pragma_table_info('bundles') WHERE name = 'sealed'").step(); };
  if (!together()) return;
  Database::Transaction transaction(db);
  if (!together()) return;  // another command has done it by now
  db.execute("INSERT INTO contents SELECT serial, 0, sealed FROM bundles");
  db.execute("ALTER TABLE bundles DROP COLUMN sealed");
  transaction.commit();
}

}  // namespace

ClientState::ClientState(std::filesystem::path folder) : folder_(std::move(folder)), db_(folder_ / "client.db", client_schema) {
  take_contents_out(db_);
  std::filesystem::create_directories(folder_ / "masked");
}

std::optional<Bytes> ClientState::program(const Digest& hash) {
  Statement row = db_.prepare("SELECT bytes FROM programs WHERE hash = ?");
  row.bind(ByteView(hash));
  if (!row.step()) return std::nullopt;
  return row.blob(0);
}

void ClientState::store_program(const Digest& hash, ByteView bytes) {
  db_.prepare("INSERT OR REPLACE INTO programs VALUES (?, ?)").bind(ByteView(hash)).bind(bytes).run();
}

std::optional<Offer> ClientState::last_offer(const std::string& address) {
  Statement row = db_.prepare("SELECT server, program FROM offers WHERE address = ?");
  row.bind(std::string_view(address));
  if (!row.step()) return std::nullopt;
  Offer offer{row.text(0), {}};
  const Bytes program = row.blob(1);
  if (program.size() != offer.program.size()) return std::nullopt;
  std::copy(program.begin(), program.end(), offer.program.begin());
  return offer;
}

void ClientState::remember(const std::string& address, const Offer& offer) {
  if (const auto last = last_offer(address); last && last->server == offer.server && last->program == offer.program) return;
  db_.prepare("INSERT OR REPLACE INTO offers VALUES (?, ?, ?)")
      .bind(std::string_view(address))
      .bind(std::string_view(offer.server))
      .bind(ByteView(offer.program))
      .run();
}

std::filesystem::path ClientState::masked_weights(const MaskId& mask) const {
  return folder_ / "masked" / (to_hex(mask) + ".bin");
}
std::filesystem::path ClientState::masked_weights_part(const MaskId& mask) const {
  return folder_ / "masked" / (to_hex(mask) + ".part");
}

void ClientState::store(const std::vector<SealedBundle>& bundles) {
  Database::Transaction transaction(db_);
  for (const SealedBundle& b : bundles) {
    const bool fresh = db_.prepare("INSERT INTO bundles VALUES (?, ?, ?, ?, ?, ?, 0, ?)")
                           .bind(ByteView(b.header.serial))
                           .bind(ByteView(b.header.instance))
                           .bind(static_cast<std::int64_t>(b.header.epoch))
                           .bind(ByteView(b.header.program))
                           .bind(ByteView(b.header.mask))
                           .bind(b.header.expiry)
                           .bind(ByteView(b.header_bytes))
                           .run_unless_there();
    if (!fresh) fail_peer("the dealer: handed out a bundle that this client has had before; it is not used");
    Statement insert = db_.prepare("INSERT INTO contents VALUES (?, ?, ?)");
    for (std::size_t i = 0; i < b.pieces; ++i) {
      const Bytes sealed = b.piece(i);
      insert.reset().bind(ByteView(b.header.serial)).bind(static_cast<std::int64_t>(i)).bind(ByteView(sealed)).run();
    }
    insert.reset();
    db_.prepare("INSERT INTO keys VALUES (?, ?)").bind(ByteView(b.header.serial)).bind(ByteView(b.key.reveal())).run();
  }
  transaction.commit();
}

std::size_t ClientState::available(const BundleFilter& filter) {
  Statement row = db_.prepare(std::string("SELECT count(*) FROM bundles WHERE ") + fits);
  SMPC_CHECK(bind(row, filter).step());
  return static_cast<std::size_t>(row.integer(0));
}

std::optional<ClientBundle> ClientState::opened(std::int64_t row, std::size_t corrections) {
  Statement columns = db_.prepare("SELECT b.serial, header, key FROM bundles b LEFT JOIN keys USING (serial) WHERE b.rowid = ?");
  SMPC_CHECK(columns.bind(row).step());
  const Bytes serial = columns.blob(0);
  ClientBundle b;
  b.header_bytes = columns.blob(1);
  const SecretBytes key = columns.secret(2);
  if (key.size() != 32) return std::nullopt;
  const auto sealed = [this, serial](std::size_t piece) {
    Statement found = db_.prepare("SELECT sealed FROM contents WHERE serial = ? AND piece = ?");
    found.bind(ByteView(serial)).bind(static_cast<std::int64_t>(piece));
    return found.step() ? found.blob(0) : Bytes{};
  };
  const auto reader = std::make_shared<PieceReader>(Key{ByteView(key).first<32>()}, seed_bytes + corrections, b.header_bytes, sealed);
  if (!reader->intact() || !reader->read(0, b.material.seed.reveal())) return std::nullopt;
  b.header = decode_bundle_header(b.header_bytes);
  if (!std::equal(serial.begin(), serial.end(), b.header.serial.begin(), b.header.serial.end())) return std::nullopt;
  b.material.read = [reader](std::size_t from, std::span<std::byte> to) {
    if (reader->read(seed_bytes + from, to)) return;
    throw Error(ErrorKind::no_bundles, "stored correlated randomness was damaged while it was in use; run the command again");
  };
  return b;
}

std::vector<ClientBundle> ClientState::open(const BundleFilter& filter, std::size_t corrections, std::size_t count) {
  std::vector<ClientBundle> out;
  std::vector<Serial> broken;
  {
    Statement oldest = db_.prepare(std::string("SELECT rowid, serial FROM bundles WHERE ") + fits + " ORDER BY expiry, rowid");
    bind(oldest, filter);
    while (out.size() < count && oldest.step()) {
      if (std::optional<ClientBundle> b = opened(oldest.integer(0), corrections)) {
        out.push_back(std::move(*b));
        continue;
      }
      const Bytes serial = oldest.blob(1);
      Serial damaged{};
      std::copy_n(serial.begin(), std::min(serial.size(), damaged.size()), damaged.begin());
      broken.push_back(damaged);
    }
  }
  if (!broken.empty()) set_aside(broken);
  return out;
}

// Without their keys the contents are nothing: they are cleared later (forget_spent), since that writes many pages.
std::size_t ClientState::spend_serials(const std::vector<Serial>& serials) {
  Statement mark = db_.prepare("UPDATE bundles SET state = 1 WHERE serial = ? AND state = 0");
  Statement wipe_key = db_.prepare("DELETE FROM keys WHERE serial = ?");
  std::size_t unspent = 0;
  for (const Serial& serial : serials) {
    unspent += mark.reset().bind(ByteView(serial)).run_where_there() ? 1 : 0;
    wipe_key.reset().bind(ByteView(serial)).run();
  }
  return unspent;
}

void ClientState::forget_spent() {
  {
    Database::Transaction transaction(db_);
    Statement expire = db_.prepare("UPDATE bundles SET state = 1 WHERE state = 0 AND expiry <= ?");
    expire.bind(static_cast<std::int64_t>(std::time(nullptr))).run();
    db_.execute("DELETE FROM keys WHERE serial NOT IN (SELECT serial FROM bundles WHERE state = 0)");
    transaction.commit();
  }
  {
    // Sealed under keys that are gone, they need no zeros over them, which would be written twice, as they were.
    const Database::WithoutWiping contents(db_);
    db_.execute("DELETE FROM contents WHERE serial IN (SELECT serial FROM contents EXCEPT SELECT serial FROM keys)");
  }
  db_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

void ClientState::prepare_to_spend() { db_.execute("PRAGMA user_version = 1"); }

void ClientState::spend(const AuditSubject& subject) {
  Database::Transaction transaction(db_);
  if (!sabotaged(Sabotage::bundle_reused) && spend_serials(subject.bundles) != subject.bundles.size()) {
    fail_input("expected stored bundles that are unspent, found one that another command has spent; run the command again");
  }
  audit_.begun(subject);
  transaction.commit();
}

void ClientState::set_aside(const std::vector<Serial>& serials) {
  Database::Transaction transaction(db_);
  spend_serials(serials);
  transaction.commit();
}

}  // namespace smpc
