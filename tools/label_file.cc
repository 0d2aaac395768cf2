#include "label_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/text.h"

namespace smpc::tools {
namespace {

struct Field {
  std::string text;
  bool quoted = false;
};

struct Record {
  std::size_t line = 1;  // that it begins in
  std::string whole;     // as it stands in the file
  std::vector<Field> fields;
};

// A file, for its refusals.
class Refusal {
 public:
  explicit Refusal(const std::string& name) : name_(name) {}
  [[noreturn]] void operator()(std::size_t line, const std::string& message) const {
    fail_input(name_ + ": line " + std::to_string(line) + ": " + message);
  }

 private:
  const std::string& name_;
};

void check_utf8(std::string_view text, const Refusal& refuse) {
  std::size_t line = 1;
  while (!text.empty()) {
    const Utf8Char c = first_character(text);
    if (!c.valid) refuse(line, "expected UTF-8, found " + printable(text.substr(0, 1)) + "; save the file as UTF-8");
    if (c.code == 0) refuse(line, "expected text in UTF-8, found a zero byte (UTF-16, perhaps); save the file as UTF-8");
    if (c.code == '\n') ++line;
    text.remove_prefix(c.bytes);
  }
}

// RFC 4180, with LF beside CRLF. Empty lines are no records.
class Parser {
 public:
  Parser(std::string_view text, const Refusal& refuse) : left_(text), refuse_(refuse) {}

  std::vector<Record> all() {
    std::vector<Record> out;
    while (!left_.empty()) {
      if (take_end()) continue;
      out.push_back(record());
    }
    return out;
  }

 private:
  bool take_end() {
    const std::size_t bytes = left_.starts_with("\r\n") ? 2 : left_.starts_with("\n") ? 1 : 0;
    left_.remove_prefix(bytes);
    line_ += bytes > 0 ? 1 : 0;
    return bytes > 0;
  }

  Record record() {
    Record out;
    out.line = line_;
    const std::string_view begin = left_;
    std::size_t length = 0;
    for (bool more = true; more;) {
      out.fields.push_back(left_.starts_with('"') ? quoted() : plain());
      length = begin.size() - left_.size();
      more = left_.starts_with(',');
      if (more) {
        left_.remove_prefix(1);
      } else if (!left_.empty() && !take_end()) {
        refuse_(line_, "expected a comma or the line's end after " + std::string(out.fields.back().quoted ? "a closing quote" : "a name") +
                           ", found '" + printable(left_.substr(0, first_character(left_).bytes)) + "'; write CSV with commas (RFC 4180)");
      }
    }
    out.whole = begin.substr(0, length);
    return out;
  }

  Field quoted() {
    Field out{{}, true};
    const std::size_t began = line_;
    left_.remove_prefix(1);
    for (;;) {
      if (left_.empty()) refuse_(began, "expected a closing quote, found none; a quote within quotes is doubled (RFC 4180)");
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"' && !left_.starts_with('"')) return out;
      if (c == '"') left_.remove_prefix(1);
      if (c == '\n') ++line_;
      out.text += c;
    }
  }

  Field plain() {
    const std::size_t end = std::min(left_.find_first_of(",\r\n"), left_.size());
    Field out{std::string(left_.substr(0, end)), false};
    if (out.text.find('"') != std::string::npos) {
      refuse_(line_, "expected a name with a quote in it in quotes, that quote doubled (RFC 4180), found it bare");
    }
    left_.remove_prefix(end);
    return out;
  }

  std::string_view left_;
  const Refusal& refuse_;
  std::size_t line_ = 1;
};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool begins_with_number(const Record& r, char separator) {
  const auto at = r.whole.find(separator);
  return at != std::string::npos && is_number(trimmed(std::string_view(r.whole).substr(0, at)));
}

bool ends_with_number(const Record& r, char separator) {
  const auto at = r.whole.rfind(separator);
  return at != std::string::npos && is_number(trimmed(std::string_view(r.whole).substr(at + 1)));
}

// What looks like a table but is none of index,name.
void refuse_other_tables(const std::vector<Record>& records, const Refusal& refuse) {
  constexpr std::array<std::pair<char, const char*>, 3> separators = {{{'\t', "tabs"}, {';', "semicolons"}, {'|', "bars"}}};
  const auto has = [](const Record& r, char separator) { return r.whole.find(separator) != std::string::npos; };
  const auto all = [&](bool (*is)(const Record&, char), char separator) {
    const bool heading = records.size() > 1 && has(records.front(), separator) && !is(records.front(), separator);
    return std::all_of(records.begin() + (heading ? 1 : 0), records.end(), [&](const Record& r) { return is(r, separator); });
  };
  for (const auto& [separator, name] : separators) {
    const bool tab = separator == '\t' && std::any_of(records.begin(), records.end(), [&](const Record& r) { return has(r, '\t'); });
    if (!tab && !all(begins_with_number, separator) && !all(ends_with_number, separator)) continue;
    refuse(records.front().line, std::string("expected index,name with a comma between, or a name alone, found columns separated by ") +
                                     name + "; save the file as CSV with commas");
  }
  if (all(ends_with_number, ',')) {
    refuse(records.front().line, "expected index,name, found the columns in the order name,index; swap them, or put names that "
                                 "end so in quotes");
  }
}

std::string name_of(const Record& r, std::size_t index, bool numbered, const Refusal& refuse) {
  const std::size_t columns = r.fields.size();
  if (!numbered) {
    if (columns == 1) return r.fields.front().text;
    const bool quotes = std::any_of(r.fields.begin(), r.fields.end(), [](const Field& f) { return f.quoted; });
    if (quotes || is_number(trimmed(r.fields.front().text))) {
      refuse(r.line, "expected a name a line, as in the first one, found " + std::to_string(columns) + " columns");
    }
    return r.whole;  // a name with a comma in it
  }
  if (columns != 2) {
    refuse(r.line, "expected two columns, index,name, found " + std::to_string(columns) + (columns > 2 ? "; put a name with a comma in it in quotes" : ""));
  }
  if (r.fields.front().text != std::to_string(index)) {
    refuse(r.line, "expected the label of index " + std::to_string(index) + ", found index '" + printable(r.fields.front().text) + "'");
  }
  return r.fields.back().text;
}

}  // namespace

std::vector<std::string> parse_labels(std::string_view text, const std::string& name) {
  const Refusal refuse(name);
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  check_utf8(text, refuse);
  std::vector<Record> records = Parser(text, refuse).all();
  const bool heading = !records.empty() && records.front().fields.size() == 2 && records.front().fields[0].text == "index" &&
                       (records.front().fields[1].text == "name" || records.front().fields[1].text == "label");
  if (heading) records.erase(records.begin());
  if (records.empty()) fail_input(name + ": expected labels, a name a line or index,name; found none");
  const bool numbered = heading || (records.front().fields.size() > 1 && is_number(trimmed(records.front().fields.front().text)));
  if (!numbered) refuse_other_tables(records, refuse);
  std::vector<std::string> labels;
  for (const Record& r : records) {
    labels.push_back(name_of(r, labels.size(), numbered, refuse));
    if (trimmed(labels.back()).empty()) refuse(r.line, "expected a name, found none");
  }
  return labels;
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  return parse_labels(as_text(read_file(path, std::size_t{1} << 24)), path.string());
}

}  // namespace smpc::tools
