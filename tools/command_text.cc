#include "command_text.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace smpc::tools {
namespace {

std::vector<std::string> cut(std::string text, char at) {
  std::vector<std::string> out;
  for (std::size_t end = 0; (end = text.find(at)) != std::string::npos; text.erase(0, end + 1)) out.push_back(text.substr(0, end));
  out.push_back(text);
  return out;
}

// "{label,logits}" as CLI11 writes a set; empty where it is none.
std::vector<std::string> members(const std::string& description) {
  if (!description.starts_with('{') || !description.ends_with('}')) return {};
  return cut(description.substr(1, description.size() - 2), ',');
}

// What CLI11's checks say of themselves, in words: "INT in [1 - 64]", "POSITIVE", "UINT:INT in [..]".
std::string limits(const std::string& description) {
  if (description == "POSITIVE") return "above 0";
  const auto open = description.find(" in [");
  const auto dash = description.find(" - ");
  if (open == std::string::npos || dash == std::string::npos || !description.ends_with(']')) return {};
  const std::string low = description.substr(open + 5, dash - open - 5);
  return low + " to " + description.substr(dash + 3, description.size() - dash - 4);
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? std::string() : std::string(between)) + part;
  return out;
}

// A manual is for every user, and so is the help that is sent to someone.
std::string without_home(const std::string& value) {
  const char* home = std::getenv("HOME");
  const std::string prefix = std::string(home != nullptr ? home : "") + "/";
  if (prefix.size() < 3 || !value.starts_with(prefix)) return value;
  return "~/" + value.substr(prefix.size());
}

OptionText option_text(const CLI::Option& option) {
  OptionText out;
  if (option.get_positional()) {
    out.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  }
  out.group = option.get_group();
  out.required = option.get_required();
  out.about = option.get_description();
  out.values = option.get_items_expected_max();
  if (out.values >= CLI::detail::expected_max_vector_size) out.values = any_number;
  if (out.values == 0) return out;

  // CLI11 tells the type and what its checks say of themselves in one string, with colons between.
  std::string type = option.get_type_name();
  std::string limit;
  for (const std::string known : {":{", ":INT in [", ":UINT in [", ":FLOAT in [", ":POSITIVE"}) {
    const auto at = type.find(known);
    if (at == std::string::npos) continue;
    const std::string check = type.substr(at + 1);
    type.resize(at);
    out.choices = members(check);
    limit = limits(check);
  }
  if (type.find('|') != std::string::npos) out.choices = cut(type, '|');
  out.kind = type;
  if (type == "INT" || type == "UINT") type = "N";
  if (type == "FLOAT") type = "X";
  if (!out.choices.empty()) type = joined(out.choices, "|");
  out.value = option.get_option_text().empty() ? type : option.get_option_text();
  if (out.values == any_number) out.value += " ...";
  // Before a default that the description tells itself.
  if (!limit.empty()) out.about.insert(std::min(out.about.find(" (default"), out.about.size()), "; " + limit);
  if (!option.get_default_str().empty()) out.about += " (default: " + without_home(option.get_default_str()) + ")";
  if (out.required) out.about += " (required)";
  return out;
}

CommandText described(const CLI::App& app, const std::string& before) {
  CommandText out;
  out.word = app.get_name();
  out.name = before + app.get_name();
  out.about = app.get_description();
  out.examples = app.get_footer();
  out.command_required = app.get_require_subcommand_min() > 0;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? out.positionals : out.options).push_back(option_text(*option));
  }
  std::stable_partition(out.options.begin(), out.options.end(), [](const OptionText& o) { return o.group != help_group; });
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* s) { return !s->get_group().empty(); })) {
    out.commands.push_back(described(*sub, out.name + " "));
  }
  return out;
}

}  // namespace

CommandText describe(const CLI::App& app) { return described(app, ""); }

std::vector<std::string> groups_of(const CommandText& command) {
  std::vector<std::string> out;
  for (const OptionText& option : command.options) {
    if (std::find(out.begin(), out.end(), option.group) == out.end()) out.push_back(option.group);
  }
  return out;
}

}  // namespace smpc::tools
