// What a person reads: text that came from a file or a peer, made fit for a terminal, a log or a page; numbers in words.
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

// "614 B", "614.2 kB", "120.8 MB": a kilobyte is 1,000 bytes, and a unit begins at ten of it.
std::string human_bytes(std::uint64_t bytes);

}  // namespace smpc
