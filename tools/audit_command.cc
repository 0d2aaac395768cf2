#include "audit_command.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common.h"
#include "smpc/base/error.h"
#include "smpc/service/audit.h"

namespace smpc::tools {
namespace {

std::optional<Digest> expected_digest(const std::string& hex) {
  if (hex.empty()) return std::nullopt;
  const auto wrong = [&] { fail_usage("--expect: expected the 64 hexadecimal digits of a record's digest, found " + hex); };
  if (hex.size() != 64) wrong();
  Digest digest{};
  try {
    const Bytes bytes = from_hex(hex);
    std::copy(bytes.begin(), bytes.end(), digest.begin());
  } catch (const Error&) {
    wrong();
  }
  return digest;
}

}  // namespace

CLI::App* add_audit_command(CLI::App& app, AuditArguments& arguments) {
  CLI::App* audit = app.add_subcommand("audit", "check or show the record of inferences that the state folder holds");
  audit->add_option("action", arguments.action,
                    "verify: go through all records, each of which holds the digest of the one before, and compare them with "
                    "the journal of bundles; show: print them, a line of JSON each")
      ->required()
      ->check(CLI::IsMember({"verify", "show"}));
  audit->add_option("--expect", arguments.expected,
                    "with verify: the digest that an earlier verify printed, kept where nobody can change it. The record must "
                    "still hold it, so that it was not cut or written anew")
      ->type_name("DIGEST");
  if (app.get_option_no_throw("--json") == nullptr) {
    audit->add_flag("--json", arguments.json_wanted, "with verify: print one JSON object on standard output, and nothing else");
  }
  return audit;
}

void run_audit_command(const AuditArguments& a, const std::filesystem::path& state, Role role) {
  if (a.action == "show") {
    if (!a.expected.empty()) fail_usage("audit show: expected no --expect: it goes with verify");
    return read_audit(state, role, [](std::string_view line) { std::cout << line << "\n"; });
  }
  const AuditSummary s = verify_audit(state, role, expected_digest(a.expected));
  if (a.json_wanted) {
    return print_json({{"records", s.records},
                       {"completed", s.completed},
                       {"failed", s.failed},
                       {"refused", s.refused},
                       {"unfinished", s.unfinished},
                       {"digest", to_hex(s.head)}});
  }
  std::cout << "records: " << s.records << ", all as they were written; inferences: " << s.completed << " completed, " << s.failed
            << " failed, " << s.unfinished << " without an end (in progress, or cut by a crash), " << s.refused << " refused\n"
            << "digest " << to_hex(s.head) << "\n";
}

}  // namespace smpc::tools
