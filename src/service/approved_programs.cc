#include "smpc/service/approved_programs.h"

#include <algorithm>
#include <sstream>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/net/identity.h"

namespace smpc {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 24;
const char* const form = "<program's hash> <server's identity> <label|logits>";

std::string line_of(const ApprovedProgram& p) {
  return to_hex(p.program) + " " + p.server + " " + std::string(to_text(p.reveal.value()));
}

std::optional<Reveal> policy_of(std::string_view text) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    if (text == to_text(reveal)) return reveal;
  }
  return std::nullopt;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// `where` begins the error.
ApprovedProgram parsed(const std::vector<std::string>& words, const std::string& where) {
  if (words.size() != 3) {
    fail_input(where + "expected " + form + ", found " + std::to_string(words.size()) + (words.size() == 1 ? " word" : " words"));
  }
  ApprovedProgram out;
  const auto program = program_of_hex(words[0]);
  if (!program) fail_input(where + "expected the 64 hexadecimal digits of a program's hash, found " + words[0]);
  out.program = *program;
  try {
    const PeerName name = parse_peer_name(words[1]);
    if (name.role != Role::server) fail_input("expected urn:smpc:server:NAME, found " + words[1]);
    out.server = name.uri();
  } catch (const Error& e) {
    fail_input(where + e.what());
  }
  out.reveal = policy_of(words[2]);
  if (!out.reveal) fail_input(where + "expected what is revealed, label or logits, found " + words[2]);
  return out;
}

std::vector<ApprovedProgram> parse(const std::string& text, const std::filesystem::path& file) {
  std::vector<ApprovedProgram> list;
  std::vector<std::size_t> lines;
  std::istringstream in(text);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) continue;
    const std::string where = file.string() + ", line " + std::to_string(number) + ": ";
    ApprovedProgram one = parsed(words, where);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].program != one.program || list[i].server != one.server) continue;
      fail_input(where + "expected each program of a server once, found that of line " + std::to_string(lines[i]) + " again");
    }
    list.push_back(std::move(one));
    lines.push_back(number);
  }
  return list;
}

std::string text_of_file(const std::filesystem::path& file) { return std::string(as_text(read_file(file, longest_file))); }

std::string short_name(const Digest& program) { return to_hex(program).substr(0, 12); }

}  // namespace

std::optional<Digest> program_of_hex(std::string_view hex) {
  if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != hex.npos) return std::nullopt;
  const Bytes bytes = from_hex(hex);
  Digest out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

ApprovedPrograms ApprovedPrograms::read(const std::filesystem::path& file) {
  ApprovedPrograms out;
  out.source_ = file.string();
  out.list_ = parse(text_of_file(file), file);
  return out;
}

ApprovedPrograms ApprovedPrograms::only(const Digest& program) {
  ApprovedPrograms out;
  out.source_ = "--program";
  out.list_.push_back({program, {}, std::nullopt});
  return out;
}

ApprovedPrograms ApprovedPrograms::narrowed_to(const Digest& program) const {
  ApprovedPrograms out = *this;
  std::erase_if(out.list_, [&](const ApprovedProgram& p) { return p.program != program; });
  if (out.list_.empty()) {
    fail_input("--program " + to_hex(program) + ": expected one of the approved programs of " + source_ +
               ", found that it is none; look at it with smpc-client approve");
  }
  return out;
}

void ApprovedPrograms::check(const Offer& offer, std::string_view reveal) const {
  if (all()) return;
  const ApprovedProgram* same = nullptr;
  for (const ApprovedProgram& p : list_) {
    if (p.program != offer.program) continue;
    same = &p;
    if (p.server.empty() || p.server == offer.server) break;
  }
  const std::string whose = "the server (" + offer.server + "): expected ";
  const std::string nothing = "; nothing of a volume was used. ";
  if (same == nullptr) {
    const bool one = list_.size() == 1;
    fail_peer(whose + (one ? "the approved program " + short_name(list_[0].program) : "an approved program") + " (" + source_ + "), found " +
              to_hex(offer.program) + nothing + "Ask its owner what has changed, and look at it with smpc-client approve");
  }
  if (!same->server.empty() && same->server != offer.server) {
    fail_peer(whose + "program " + short_name(offer.program) + " of " + same->server + " alone, as approved (" + source_ + "), found it here" +
              nothing + "Check --server, or look at it with smpc-client approve");
  }
  if (same->reveal && to_text(*same->reveal) != reveal) {
    fail_peer(whose + "that program " + short_name(offer.program) + " reveals " + std::string(to_text(*same->reveal)) + ", as approved (" +
              source_ + "), found " + std::string(reveal) + nothing + "Ask its owner what has changed");
  }
}

std::optional<Digest> ApprovedPrograms::expected(const std::optional<Offer>& last) const {
  std::optional<Digest> only;
  bool several = false;
  bool offered = false;
  for (const ApprovedProgram& p : list_) {
    if (last && !p.server.empty() && p.server != last->server) continue;
    several = several || (only && *only != p.program);
    offered = offered || (last && last->program == p.program);
    only = p.program;
  }
  if (!several) return only;
  return offered ? std::optional(last->program) : std::nullopt;
}

bool approve(const std::filesystem::path& file, const ApprovedProgram& program) {
  std::string text;
  std::error_code error;
  if (std::filesystem::exists(file, error) || error) text = text_of_file(file);
  const std::vector<ApprovedProgram> list = parse(text, file);
  for (const ApprovedProgram& p : list) {
    if (p.program != program.program || p.server != program.server) continue;
    if (p == program) return false;
    fail_input(file.string() + ": expected program " + short_name(p.program) + " as it is, revealing " +
               std::string(to_text(program.reveal.value())) + ", found a line that was changed by hand; take it out");
  }
  if (text.empty()) text = "# Programs that smpc-client takes part in: program, server, what it reveals\n";
  if (!text.ends_with('\n')) text += '\n';
  text += line_of(program) + "\n";
  write_file(file, as_bytes(text), true);
  return true;
}

}  // namespace smpc
