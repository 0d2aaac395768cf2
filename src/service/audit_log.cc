#include "audit_log.h"

#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "smpc/service/audit.h"

namespace smpc {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

const char* const audit_schema = "CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, record TEXT NOT NULL)";
const char* const in_order = "SELECT number, record FROM audit ORDER BY number";

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm tm{};
  ::gmtime_r(&now, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

// The folder must be there: looking at a log makes none.
std::filesystem::path database_in(const std::filesystem::path& state, Role role) {
  const auto path = state / (std::string(role_name(role)) + ".db");
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return path;
  if (errno != ENOENT) fail_file(path, "read", errno);
  fail_input(state.string() + ": expected the state of a " + std::string(role_name(role)) + ", found no " + path.filename().string());
}

// One log as it is gone through.
class Verifier {
 public:
  explicit Verifier(const std::optional<Digest>& noted) : noted_(noted) {}

  void take(std::int64_t number, const std::string& text) {
    const auto wrong = [&](const std::string& what) {
      fail_input("the audit log: record " + std::to_string(summary_.records) + ": " + what);
    };
    if (number != static_cast<std::int64_t>(summary_.records)) wrong("expected it, found record " + std::to_string(number));
    const json record = json::parse(text, nullptr, false);
    if (!record.is_object()) wrong("expected a JSON object, found something else");
    try {
      if (record.at("record") != summary_.records) wrong("it says that it is another record");
      if (record.at("previous") != to_hex(summary_.head)) {
        wrong("expected the digest of the record before, found another; one of the two was changed, or some were removed");
      }
      const std::string event = record.at("event");
      if (event == "begun") {
        begun(record, wrong);
      } else if (event == "completed" || event == "failed") {
        for (const std::string& id : record.at("bundles").get<std::vector<std::string>>()) {
          if (open_.erase(id) == 0) wrong("it ends an inference that did not begin");
        }
        ++(event == "completed" ? summary_.completed : summary_.failed);
        --summary_.unfinished;
      } else if (event == "refused") {
        ++summary_.refused;
      } else {
        wrong("expected an event, found another");
      }
    } catch (const json::exception&) {
      wrong("expected the fields of a record, found others");
    }
    summary_.head = sha256(as_bytes(text));
    ++summary_.records;
    if (noted_ && summary_.head == *noted_) noted_.reset();
  }

  // The journal's serials against the log's.
  void compare_with(Statement journal, Role role) {
    std::size_t found = 0;
    while (journal.step()) {
      const bool logged = begun_.contains(to_hex(journal.blob(0)));
      found += logged ? 1 : 0;
      // A client also sets aside what it could not use.
      if (!logged && role == Role::server) fail_input("the audit log: the journal holds a used bundle that no record names");
    }
    if (found != begun_.size()) fail_input("the audit log: a record names a bundle that the journal does not hold as used");
  }

  AuditSummary finish() const {
    if (noted_) {
      fail_input("the audit log: expected a record with the digest " + to_hex(*noted_) +
                 ", found none; the log was cut or written anew since that was noted");
    }
    return summary_;
  }

 private:
  template <class Wrong>
  void begun(const json& record, const Wrong& wrong) {
    const auto ids = record.at("bundles").get<std::vector<std::string>>();
    if (ids.empty()) wrong("expected bundles, found none");
    for (const std::string& id : ids) {
      if (!begun_.insert(id).second) wrong("it names a bundle that an earlier inference was begun with");
      open_.insert(id);
    }
    ++summary_.unfinished;
  }

  std::optional<Digest> noted_;  // none: there was none, or it was found
  AuditSummary summary_;
  std::set<std::string> begun_;
  std::set<std::string> open_;
};

}  // namespace

struct AuditLog::Fields {
  std::optional<Traffic> run{};
  std::string_view rule{};
};

AuditLog::AuditLog(Database& db) : db_(db) { db_.execute(audit_schema); }

void AuditLog::begun(const AuditSubject& subject) { append("begun", subject, {}); }

void AuditLog::completed(const AuditSubject& subject, const Traffic& run) {
  Database::Transaction transaction(db_);
  append("completed", subject, {.run = run});
  transaction.commit();
}

void AuditLog::failed(const AuditSubject& subject, const Traffic& run) noexcept {
  try {
    Database::Transaction transaction(db_);
    append("failed", subject, {.run = run});
    transaction.commit();
  } catch (const std::exception&) {
  }
}

void AuditLog::refused(const AuditSubject& subject, std::string_view rule) {
  Database::Transaction transaction(db_);
  append("refused", subject, {.rule = rule});
  transaction.commit();
}

void AuditLog::append(std::string_view event, const AuditSubject& subject, const Fields& fields) {
  std::int64_t number = 0;
  Digest previous{};
  {
    Statement last = db_.prepare("SELECT number, record FROM audit ORDER BY number DESC LIMIT 1");
    if (last.step()) {
      number = last.integer(0) + 1;
      previous = sha256(as_bytes(last.text(1)));
    }
  }
  ordered_json record{{"record", number},
                      {"previous", to_hex(previous)},
                      {"time", utc_now()},
                      {"event", event},
                      {"peer", subject.peer},
                      {"program", to_hex(subject.program)},
                      {"reveal", subject.reveal},
                      {"bundles", ordered_json::array()}};
  for (const Serial& s : subject.bundles) record["bundles"].push_back(to_hex(ByteView(s)));
  if (fields.run) {
    record["sent"] = fields.run->sent_bytes;
    record["received"] = fields.run->received_bytes;
  }
  if (!fields.rule.empty()) record["refusal"] = fields.rule;
  const std::string text = record.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  db_.prepare("INSERT INTO audit VALUES (?, ?)").bind(number).bind(std::string_view(text)).run();
}

AuditSummary verify_audit(const std::filesystem::path& state, Role role, const std::optional<Digest>& noted) {
  Database db(database_in(state, role), audit_schema);
  db.execute("BEGIN");  // one view of both tables, while others go on
  Verifier verifier(noted);
  for (Statement rows = db.prepare(in_order); rows.step();) verifier.take(rows.integer(0), rows.text(1));
  verifier.compare_with(db.prepare(role == Role::server ? "SELECT serial FROM used"
                                                        : "SELECT serial FROM bundles WHERE state = 1"),
                        role);
  return verifier.finish();
}

void read_audit(const std::filesystem::path& state, Role role, const std::function<void(std::string_view)>& line) {
  Database db(database_in(state, role), audit_schema);
  for (Statement rows = db.prepare(in_order); rows.step();) line(rows.text(1));
}

}  // namespace smpc
