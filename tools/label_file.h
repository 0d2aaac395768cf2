// The names of classes, from a file that a person wrote or a spreadsheet saved.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace smpc::tools {

// A CSV (RFC 4180) of index,name with the index counting from 0, with or without that heading; or a name a line, which may be
// quoted. UTF-8, with a byte order mark or without; lines end with LF or CRLF; empty lines are passed over. Throws bad_input,
// naming `name` and the line, for any other dialect: other separators, the columns swapped, more columns, other encodings.
std::vector<std::string> parse_labels(std::string_view text, const std::string& name);

std::vector<std::string> read_labels(const std::filesystem::path& path);

}  // namespace smpc::tools
