#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <memory>

#include "smpc/base/text.h"

namespace smpc::tools {
namespace {

struct FreeLocale {
  void operator()(locale_t locale) const { ::freelocale(locale); }
};
using Locale = std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale>;

// The user's locale, without making it the process's: numbers and sorting stay as they are.
bool locale_is_utf8() {
  const Locale locale(::newlocale(LC_CTYPE_MASK, "", nullptr));
  return locale && std::strcmp(::nl_langinfo_l(CODESET, locale.get()), "UTF-8") == 0;
}

// While it lives, this thread's wcwidth knows all of Unicode.
class UnicodeWidths {
 public:
  UnicodeWidths() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_) before_ = ::uselocale(locale_.get());
  }
  ~UnicodeWidths() {
    if (locale_) ::uselocale(before_);
  }
  UnicodeWidths(const UnicodeWidths&) = delete;
  UnicodeWidths& operator=(const UnicodeWidths&) = delete;

  std::size_t of(char32_t c) const {
    const int width = ::wcwidth(static_cast<wchar_t>(c));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  Locale locale_;
  locale_t before_{};
};

bool set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::optional<Terminal> terminal_of(int fd) {
  if (::isatty(fd) == 0) return std::nullopt;
  Terminal out;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) out.columns = size.ws_col;
  out.controls = set("TERM") && std::strcmp(std::getenv("TERM"), "dumb") != 0;
  out.colour = out.controls && !set("NO_COLOR");
  out.utf8 = locale_is_utf8();
  return out;
}

std::size_t width_of(std::string_view text) {
  const UnicodeWidths widths;
  std::size_t out = 0;
  while (!text.empty()) {
    const Utf8Char c = first_character(text);
    out += widths.of(c.code);
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string fitted(std::string_view text, std::size_t columns, bool utf8) {
  const std::string shown = printable(text, !utf8);
  if (width_of(shown) <= columns) return shown;
  const std::string ellipsis = utf8 ? "…" : columns >= 8 ? "..." : "";
  const std::size_t room = columns - std::min(columns, width_of(ellipsis));
  const UnicodeWidths widths;
  std::string out;
  std::size_t used = 0;
  for (std::string_view rest = shown; !rest.empty();) {
    const Utf8Char c = first_character(rest);
    used += widths.of(c.code);
    if (used > room) break;
    out += rest.substr(0, c.bytes);
    rest.remove_prefix(c.bytes);
  }
  return columns == 0 ? std::string() : out + ellipsis;
}

std::string padded(std::string_view text, std::size_t columns, bool utf8) {
  std::string out = fitted(text, columns, utf8);
  return out + std::string(columns - width_of(out), ' ');
}

std::string bar(double fraction, std::size_t columns, bool utf8, bool track) {
  const std::size_t parts = utf8 ? 2 : 1;  // of a column
  const double whole = static_cast<double>(columns * parts);
  const auto filled = static_cast<std::size_t>(std::isnan(fraction) ? 0 : std::clamp(fraction, 0.0, 1.0) * whole);
  std::string out;
  for (std::size_t i = 0; i < columns; ++i) {
    if ((i + 1) * parts <= filled) {
      out += utf8 ? "━" : "#";
    } else if (i * parts < filled) {
      out += "╸";
    } else {
      out += utf8 && track ? "─" : " ";
    }
  }
  return out;
}

std::string painted(const std::string& text, Paint paint, const Terminal& terminal) {
  if (!terminal.colour || text.empty()) return text;
  const char* code = paint == Paint::bold ? "1" : paint == Paint::dim ? "2" : "36";
  return std::string("\033[") + code + "m" + text + "\033[0m";
}

}  // namespace smpc::tools
