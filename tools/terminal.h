// What can be drawn on a terminal, and text that fits it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smpc::tools {

struct Terminal {
  std::size_t columns = 80;
  bool controls = false;  // moves the cursor; not where TERM is dumb or not set
  bool colour = false;    // nor where NO_COLOR is set (no-color.org)
  bool utf8 = false;      // as the locale says
};

// None where `fd` is no terminal.
std::optional<Terminal> terminal_of(int fd);

// Columns that printable UTF-8 takes.
std::size_t width_of(std::string_view text);

// `text` made printable, at most `columns` wide, with an ellipsis where it was cut.
std::string fitted(std::string_view text, std::size_t columns, bool utf8);

// The same, with blanks to exactly `columns`.
std::string padded(std::string_view text, std::size_t columns, bool utf8);

// A bar of exactly `columns` for a fraction between 0 and 1: a heavy line in halves, or number signs. Never full below 1.
// Behind it blanks or, with `track` and UTF-8, a light line.
std::string bar(double fraction, std::size_t columns, bool utf8, bool track = false);

enum class Paint { bold, dim, accent };
std::string painted(const std::string& text, Paint paint, const Terminal& terminal);

}  // namespace smpc::tools
