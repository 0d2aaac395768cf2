#include "help.h"

#include <algorithm>

namespace smpc::tools {
namespace {

constexpr std::size_t option_indent = 2;
constexpr std::size_t about_indent = 26;

std::string row(const std::string& left, const std::string& about, std::size_t columns) {
  const std::string margin(option_indent, ' ');
  // A narrow terminal has no room for two columns.
  const std::size_t indent = columns < 60 ? 6 : about_indent;
  std::string out = margin + left;
  if (out.size() + 2 > indent) {
    out += "\n" + std::string(indent, ' ');
  } else {
    out.resize(indent, ' ');
  }
  const std::size_t newline = out.rfind('\n');
  const std::string first(newline == std::string::npos ? out.size() : out.size() - newline - 1, ' ');
  // Wrapped as if the left side were blanks.
  return out + wrapped(first + about, columns, indent).substr(first.size()) + "\n";
}

std::string section(const std::string& title, const std::vector<std::pair<std::string, std::string>>& rows,
                    std::size_t columns) {
  if (rows.empty()) return {};
  std::string out = "\n" + title + ":\n";
  for (const auto& [left, about] : rows) out += row(left, about, columns);
  return out;
}

std::string inherited_options(const CommandText& inherited) {
  std::string names;
  for (const OptionText& option : inherited.options) {
    if (option.group != help_group) names += (names.empty() ? "" : ", ") + option.names.back();
  }
  return "The options of " + inherited.name + " are taken here as well: " + names + ". See " + inherited.name + " --help.";
}

}  // namespace

const std::vector<std::pair<int, std::string>>& exit_codes() {
  static const std::vector<std::pair<int, std::string>> codes = {{0, "done"},
                                                                 {1, "out of memory, or an unforeseen error"},
                                                                 {2, "usage"},
                                                                 {3, "bad input"},
                                                                 {4, "peer or network"},
                                                                 {5, "no correlated randomness to be had"}};
  return codes;
}

const std::string& trust_model() {
  static const std::string text =
      "Trust: the server sees no volume, the client no weight, the dealer neither, if\n"
      "all follow the protocol and no two join: dealer + server would learn the volume,\n"
      "dealer + client the weights. Keep the CA and others' traffic from the dealer.";
  return text;
}

std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t at = 0;  // the column
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t word = text.find_first_not_of(' ', i);
    if (word == std::string::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \n", word), text.size());
    const std::size_t blanks = word - i;
    const std::size_t length = end - word;
    if (at > indent && at + blanks + length > columns) {
      out += "\n" + std::string(indent, ' ');
      at = indent;
    } else {
      out.append(blanks, ' ');
      at += blanks;
    }
    out.append(text, word, length);
    at += length;
    i = end;
    if (i < text.size() && text[i] == '\n') {
      out += "\n" + std::string(indent, ' ');
      at = indent;
      ++i;
    }
  }
  return out;
}

std::string signature(const OptionText& option) {
  std::string out;
  for (const std::string& name : option.names) out += (out.empty() ? "" : ", ") + name;
  return option.value.empty() || !option.names.front().starts_with('-') ? out : out + " " + option.value;
}

std::string usage(const CommandText& command) {
  std::string out = "[OPTIONS]";
  for (const OptionText& option : command.options) {
    if (option.required) out += " " + option.names.back() + " " + option.value;
  }
  for (const OptionText& option : command.positionals) {
    out += option.required ? " " + option.names.front() : " [" + option.names.front() + "]";
  }
  if (command.commands.empty()) return out;
  std::string words;
  for (const CommandText& sub : command.commands) words += (words.empty() ? "" : "|") + sub.word;
  return out + (command.command_required ? " " + words : " [" + words + "]");
}

std::string help_text(const CommandText& command, const CommandText* inherited, std::size_t columns) {
  std::string out = wrapped(command.about, columns) + "\n\n";
  out += wrapped("Usage: " + command.name + " " + usage(command), columns, 7) + "\n";
  const auto rows = [](const std::vector<OptionText>& options, const std::string& group) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const OptionText& o : options) {
      if (o.group == group || group.empty()) found.emplace_back(signature(o), o.about);
    }
    return found;
  };
  out += section("Arguments", rows(command.positionals, ""), columns);
  for (const std::string& group : groups_of(command)) out += section(group, rows(command.options, group), columns);
  std::vector<std::pair<std::string, std::string>> commands;
  for (const CommandText& sub : command.commands) commands.emplace_back(sub.word, sub.about.substr(0, sub.about.find(". ")));
  out += section("Commands", commands, columns);
  if (inherited != nullptr && groups_of(*inherited).size() > 1) out += "\n" + wrapped(inherited_options(*inherited), columns) + "\n";
  if (!command.examples.empty()) out += "\nExamples:\n" + command.examples + "\n";
  std::string codes;
  for (const auto& [code, meaning] : exit_codes()) codes += (codes.empty() ? "" : "; ") + std::to_string(code) + " " + meaning;
  out += "\n" + wrapped("Exit codes: " + codes + ".", columns) + "\n";
  return out + "\n" + wrapped(trust_model(), columns) + "\n";
}

}  // namespace smpc::tools
