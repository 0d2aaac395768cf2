// Writes the audit log (smpc/service/audit.h), a table of the database that holds the journal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "database.h"
#include "smpc/base/digest.h"
#include "smpc/correlation/bundle.h"
#include "smpc/net/channel.h"

namespace smpc {

// What all records of one inference tell.
struct AuditSubject {
  std::string peer;
  Digest program{};
  std::string reveal;
  std::vector<Serial> bundles;
};

class AuditLog {
 public:
  explicit AuditLog(Database& db);

  // Each adds one record. Within a transaction of the caller, or one of its own; the caller holds the database's mutex.
  void begun(const AuditSubject& subject);
  void completed(const AuditSubject& subject, const Traffic& run);
  // Never throws: whoever calls it has an error to report already. Without the record the inference has no end, which
  // verify_audit tells.
  void failed(const AuditSubject& subject, const Traffic& run) noexcept;
  void refused(const AuditSubject& subject, std::string_view rule);

 private:
  struct Fields;
  void append(std::string_view event, const AuditSubject& subject, const Fields& fields);
  Database& db_;
};

}  // namespace smpc
