#include "approve_command.h"

#include <unistd.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common.h"
#include "help.h"
#include "progress.h"
#include "smpc/base/error.h"
#include "smpc/base/text.h"
#include "smpc/image/grid_words.h"
#include "smpc/runtime/explain.h"
#include "terminal.h"

namespace smpc::tools {
namespace {

namespace fs = std::filesystem;

fs::path programs_file(const ProgramArguments& arguments, const fs::path& identity_folder) {
  return arguments.programs.empty() ? identity_folder / "programs" : arguments.programs;
}

Digest hash_of(const std::string& hex) {
  const auto hash = program_of_hex(hex);
  if (!hash) fail_usage("--program: expected the 64 hexadecimal digits of a program's hash, found '" + hex + "'");
  return *hash;
}

std::string text_of(double number) {
  std::ostringstream out;
  out << number;
  return out.str();
}

template <class Names, class Name>
std::string joined(const Names& names, Name name) {
  std::string out;
  for (const auto& one : names) out += (out.empty() ? "" : ", ") + name(one);
  return out;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string out;
  for (const std::size_t d : shape) out += (out.empty() ? "" : " x ") + std::to_string(d);
  return out.empty() ? "a single number" : out;
}

std::string ops_text(const Program& program) {
  std::map<std::string, std::size_t> counts;
  for (const Op& op : program.ops) ++counts[std::string(op_name(op.kind))];
  return std::to_string(program.ops.size()) + ": " +
         joined(counts, [](const auto& c) { return std::to_string(c.second) + " " + c.first; });
}

// What a person should know before taking part: which volumes it refuses, what it tells, what it costs. Names in it are the
// server's.
std::vector<std::pair<std::string, std::string>> facts(const Program& p, const ApprovedProgram& approved, const std::string& address) {
  std::vector<std::pair<std::string, std::string>> out{
      {"program", to_hex(approved.program)},
      {"server", approved.server + ", at " + address},
      {"reveals", p.reveal == Reveal::label ? "label: which class it is, and nothing else" : "logits: every output, as a number"}};
  for (const ProgramInput& in : p.inputs) {
    out.emplace_back("input", in.name + ", " + shape_text(in.shape) + ", values from " + text_of(in.low) + " to " + text_of(in.high) +
                                  "; others are refused" + (in.picture ? "; a picture may be given" : ""));
  }
  if (p.input_norm > 0) out.emplace_back("norm", "at most " + text_of(p.input_norm) + "; a larger one is refused");
  if (!p.input_mask.empty()) {
    out.emplace_back("mask", std::to_string(p.input().count) + " of " + std::to_string(p.whole_input()) +
                                 " values are inside; what is not zero outside is refused");
  }
  out.emplace_back("grid", p.grid ? grid_words(*p.grid) + "; another is refused, or brought there with --resample" : "none: it takes no scans");
  if (p.labels.empty()) {
    out.emplace_back("outputs", joined(p.outputs, [](const ProgramOutput& o) { return o.name + " " + shape_text(o.shape); }));
  } else {
    out.emplace_back("classes", std::to_string(p.labels.size()) + ": " + joined(p.labels, [](const std::string& l) { return l; }));
  }
  out.emplace_back("suite", std::string(to_text(p.suite)));
  out.emplace_back("ops", ops_text(p));
  const Explanation e = explain(p);
  out.emplace_back("cost", "of a volume: " + human_bytes(e.client_to_server) + " to the server, " + human_bytes(e.server_to_client) +
                               " from it, " + std::to_string(e.messages) + " messages in sequence, a bundle of up to " +
                               human_bytes(e.bundle_bytes) + "; masked weights, once: " + human_bytes(e.masked_weight_bytes));
  return out;
}

void show(const std::vector<std::pair<std::string, std::string>>& facts) {
  constexpr std::size_t indent = 9;
  const auto terminal = terminal_of(STDOUT_FILENO);
  for (const auto& [name, text] : facts) {
    const std::string line = name + std::string(indent - name.size(), ' ') + printable(text);
    std::cout << (terminal ? wrapped(line, terminal->columns, indent) : line) << "\n";
  }
  std::cout << std::flush;
}

bool is_wanted() {
  std::cerr << "approve this program? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

void add_program_options(CLI::App& app, ProgramArguments& arguments) {
  app.add_option("--program", arguments.program,
                 "take part in the program of this hash alone. A scan that it refuses is refused before anyone is connected to; with "
                 "--programs: that one of them")
      ->type_name("HASH")
      ->group("Peers");
  app.add_option("--programs", arguments.programs,
                 "take part in the approved programs of this file alone, as approve writes it; scans are refused as with --program "
                 "(default: the file programs in the folder of --identity, where there is one and --program is not given; else any "
                 "program)")
      ->type_name("FILE")
      ->group("Peers");
}

ApprovedPrograms approved_programs(const ProgramArguments& arguments, const fs::path& identity_folder) {
  const std::optional<Digest> one = arguments.program.empty() ? std::nullopt : std::optional(hash_of(arguments.program));
  if (arguments.programs.empty() && one) return ApprovedPrograms::only(*one);
  const fs::path file = programs_file(arguments, identity_folder);
  std::error_code error;
  if (arguments.programs.empty() && !fs::exists(file, error) && !error) return {};
  const ApprovedPrograms approved = ApprovedPrograms::read(file);
  return one ? approved.narrowed_to(*one) : approved;
}

CLI::App* add_approve_command(CLI::App& app, ApproveArguments& arguments) {
  CLI::App* approve = app.add_subcommand(
      "approve",
      "show what the server's program is, ask, and add it to the file of --programs. Once that file is there, the client takes part "
      "in its programs alone, and judges every scan before it connects to anyone");
  approve->add_flag("--yes", arguments.yes, "do not ask: for programs that were looked at elsewhere, best with --program HASH");
  approve->footer("  smpc-client approve --server model.example.org:7200\n"
                  "      look at the program, then take part in it");
  return approve;
}

void run_approve(const ApproveArguments& arguments, const ProgramArguments& programs, ClientOptions options, const Identity& identity,
                 const fs::path& identity_folder, bool json_wanted) {
  if (!arguments.yes && (json_wanted || ::isatty(STDIN_FILENO) == 0)) {
    fail_usage("approve: expected a terminal to ask on, without --json, or --yes");
  }
  options.approved = programs.program.empty() ? ApprovedPrograms() : ApprovedPrograms::only(hash_of(programs.program));
  Progress progress;
  options.progress = std::ref(progress);
  ApprovedProgram approved;
  std::optional<Program> program;
  {
    ClientService client(identity, options);
    program = client.connect();
    client.disconnect();
    approved = {program_hash(*program), client.server_identity(), program->reveal};
  }  // others may work in the state folder while a person reads
  progress.clear();
  if (!json_wanted) show(facts(*program, approved, options.server));
  const fs::path file = programs_file(programs, identity_folder);
  if (!arguments.yes && !is_wanted()) fail_input("the program is not approved; " + file.string() + " stays as it was");
  const bool added = approve(file, approved);
  if (json_wanted) {
    return print_json({{"program", to_hex(approved.program)},
                       {"server", approved.server},
                       {"reveal", to_text(program->reveal)},
                       {"programs", file.string()},
                       {"added", added}});
  }
  std::cout << (added ? "approved in " : "approved before, in ") << printable(file.string()) << "\n";
}

}  // namespace smpc::tools
