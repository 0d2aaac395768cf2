// The audit log of a server or a client: which inferences there were, with whom, under which bundles and with what end.
// It holds no volume, share, weight or result.
//
// Each record is one line of JSON:
//
//   {"record": 2, "previous": "<digest of record 1>", "time": "2026-11-25T10:30:00Z", "event": "completed",
//    "peer": "urn:smpc:client:ward-3", "program": "<hash>", "reveal": "label", "bundles": ["<serial>", ...],
//    "sent": 7, "received": 9}
//
// event: "begun" (written with the journal's entry that spends the bundles, in one transaction, so neither is there
// without the other), then "completed" or "failed" with the bytes of the run (payload above TLS, frame headers included);
// or "refused", alone, with "refusal" saying by which rule; of a client's own refusal of a volume "volume: " and the rule of the
// program that it does not fit ("range", "norm", "mask", "grid", "input"). A digest is SHA-256 over the line of the record; the first
// record's "previous" is 64 zeros.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "smpc/base/digest.h"
#include "smpc/net/identity.h"

namespace smpc {

struct AuditSummary {
  std::uint64_t records = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unfinished = 0;  // begun, with no end: in progress, or cut by the end of the process
  Digest head{};                 // of the last record; zeros where there is none
};

// Goes through the log of a state folder from its first record to its last: numbers, digests, no bundle in two
// inferences, and the journal of spent bundles holds what the log holds. A bad_input error names the first record that is
// not as it must be. With `noted`, the digest of some record that was written down earlier: the log must still hold it.
AuditSummary verify_audit(const std::filesystem::path& state, Role role, const std::optional<Digest>& noted);

// Calls `line` with every record as it stands, in order, without checking it.
void read_audit(const std::filesystem::path& state, Role role, const std::function<void(std::string_view)>& line);

}  // namespace smpc
