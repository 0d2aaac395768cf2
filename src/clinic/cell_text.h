// Text in the cells of a table that may be opened with a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace smpc {

// The shortest text that reads back as the same double.
std::string exact_number(double value);

// Behind any single quotes that it begins with, whether the text is what a spreadsheet takes for a formula.
inline bool begins_as_formula(std::string_view text) noexcept {
  const auto first = text.find_first_not_of('\'');
  return first != std::string_view::npos && std::string_view("=+-@\t\r\n").find(text[first]) != std::string_view::npos;
}

// The text so that no spreadsheet runs it: one that begins as a formula gets a single quote in front (OWASP, "CSV
// Injection"). So does one that has such quotes already, so that plain_text gives every text back.
inline std::string cell_text(std::string_view text) {
  return (begins_as_formula(text) ? "'" : "") + std::string(text);
}

inline std::string plain_text(std::string_view cell) {
  return std::string(cell.starts_with('\'') && begins_as_formula(cell) ? cell.substr(1) : cell);
}

}  // namespace smpc
