#include "smpc/base/text.h"

#include <array>
#include <cstdio>

namespace smpc {
namespace {

// Unicode's categories Cc, Cf (as far as they act on a line of text), Zl, Zp, and what is no character.
bool has_no_shape(char32_t c) noexcept {
  constexpr std::array<std::pair<char32_t, char32_t>, 13> ranges = {{{0x00, 0x1f},
                                                                     {0x7f, 0x9f},
                                                                     {0xad, 0xad},
                                                                     {0x061c, 0x061c},
                                                                     {0x180e, 0x180e},
                                                                     {0x200b, 0x200f},
                                                                     {0x2028, 0x202e},
                                                                     {0x2060, 0x206f},
                                                                     {0xfe00, 0xfe0f},
                                                                     {0xfeff, 0xfeff},
                                                                     {0xfff0, 0xfffb},
                                                                     {0xfffe, 0xffff},
                                                                     {0xe0000, 0x10ffff}}};
  for (const auto& [first, last] : ranges) {
    if (first <= c && c <= last) return true;
  }
  return false;
}

void append_escaped(std::string& out, char32_t c) {
  char text[16];
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  std::snprintf(text, sizeof text, c < 0x80 ? "\\x%02x" : "\\u{%x}", static_cast<unsigned>(c));
  out += text;
}

}  // namespace

Utf8Char first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {lead, 1, false};
  char32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1, false};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest[length] || code > 0x10ffff || surrogate) return {lead, 1, false};
  return {code, length, true};
}

std::string printable(std::string_view text, bool ascii) {
  std::string out;
  while (!text.empty()) {
    const Utf8Char c = first_character(text);
    if (!c.valid) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c.code));
      out += escaped;
    } else if (has_no_shape(c.code) || (ascii && c.code >= 0x80)) {
      append_escaped(out, c.code);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  char text[64];
  if (bytes < 10'000) {
    std::snprintf(text, sizeof text, "%llu B", static_cast<unsigned long long>(bytes));
  } else if (bytes < 10'000'000) {
    std::snprintf(text, sizeof text, "%.1f kB", static_cast<double>(bytes) / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  }
  return text;
}

}  // namespace smpc
