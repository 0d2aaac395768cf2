// What a server keeps on disk: who it is, its keys, and the journal of serials it has used.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "audit_log.h"
#include "database.h"
#include "smpc/correlation/bundle.h"

namespace smpc {

class ServerState {
 public:
  explicit ServerState(const std::filesystem::path& folder);

  const Instance& instance() const noexcept { return instance_; }
  std::uint64_t epoch() const noexcept { return epoch_; }
  const Key& id_key() const noexcept { return id_key_; }      // of mask ids
  const Key& root_key() const noexcept { return root_; }      // of what dealers are given (program_key)
  std::uint64_t bump_epoch();

  enum class Reserve { done, spent, over_quota };
  // In memory: these serials are this session's until released; none of them may be in use or journaled.
  Reserve reserve(const std::vector<Serial>& serials, const std::string& client, std::uint64_t quota,
                  std::uint64_t quota_total);
  void release(const std::vector<Serial>& serials, const std::string& client) noexcept;
  // In the journal, durably, as used by subject.peer; and in the audit log, as begun.
  void record(const AuditSubject& subject);
  // In the audit log alone, durably.
  void record_end(const AuditSubject& subject, const Traffic& run);
  void record_failure(const AuditSubject& subject, const Traffic& run) noexcept;
  void record_refusal(const AuditSubject& subject, std::string_view rule);

 private:
  std::uint64_t used(const std::string& client);
  void forget(const std::vector<Serial>& serials, const std::string& client) noexcept;
  Database db_;
  AuditLog audit_{db_};
  Instance instance_{};
  std::uint64_t epoch_ = 0;
  Key id_key_;
  Key root_;
  std::set<Serial> in_use_;
  std::multiset<std::string> in_use_by_;
};

}  // namespace smpc
