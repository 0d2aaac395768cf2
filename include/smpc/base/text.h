// Text that came from a file or a peer, made fit for a person's eyes: a terminal, a log, a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smpc {

// One line of printable UTF-8. What could steer a terminal or deceive a reader becomes visible: control characters and
// bytes that are no UTF-8 as \xNN (\n, \r and \t as such), characters that have no shape of their own or change the
// direction of writing as \u{NNNN}. With `ascii`, so does every character beyond ASCII.
std::string printable(std::string_view text, bool ascii = false);

// The next character of UTF-8 text (RFC 3629: shortest form, no surrogates).
struct Utf8Char {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;  // where not: one byte that begins no character
};
Utf8Char first_character(std::string_view text) noexcept;  // of text that is not empty

}  // namespace smpc
