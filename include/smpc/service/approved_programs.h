// Which programs a client takes part in: a file of what a person has looked at and approved, or one hash.
//
// A server chooses range, norm, mask and grid of its program, and so which volumes are refused. A client that knows beforehand
// which program it will be offered judges a volume before it connects to anybody, so that no server sees a refusal.
//
// A line of the file is "<hash> <server's identity> <label|logits>", its words apart by blanks or tabs; what follows a # is
// ignored.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smpc/base/digest.h"
#include "smpc/program/program.h"

namespace smpc {

struct ApprovedProgram {
  Digest program{};
  std::string server;            // identity; empty: any
  std::optional<Reveal> reveal;  // none: any
  friend bool operator==(const ApprovedProgram&, const ApprovedProgram&) = default;
};

// 64 hexadecimal digits as a program's hash, or none.
std::optional<Digest> program_of_hex(std::string_view hex);

// What a server has offered at some address: who it is, and its program.
struct Offer {
  std::string server;
  Digest program{};
};

class ApprovedPrograms {
 public:
  // All there are: nothing was pinned.
  ApprovedPrograms() = default;
  // Throws bad_input, naming the line, for anything but lines as above, each program of a server once.
  static ApprovedPrograms read(const std::filesystem::path& file);
  // That one, of whatever server and policy.
  static ApprovedPrograms only(const Digest& program);
  // Those of these that are that program. Throws bad_input where there is none.
  ApprovedPrograms narrowed_to(const Digest& program) const;

  bool all() const noexcept { return source_.empty(); }
  const std::vector<ApprovedProgram>& list() const noexcept { return list_; }
  const std::string& source() const noexcept { return source_; }  // the file, or --program; for errors

  // Throws a peer error that says what was expected, unless this is one of them.
  void check(const Offer& offer, std::string_view reveal) const;
  // The one that will be offered, as far as that can be told without asking: the only one of the server that was at that
  // address last, or else the one that it offered then.
  std::optional<Digest> expected(const std::optional<Offer>& last) const;

 private:
  std::string source_;
  std::vector<ApprovedProgram> list_;
};

// Adds a line, unless it is there. The file is made for its owner alone (0600), and is whole or as it was at any moment; what
// else stands in it stays. False: it was there. Throws bad_input where the file cannot be read as above.
bool approve(const std::filesystem::path& file, const ApprovedProgram& program);

}  // namespace smpc
