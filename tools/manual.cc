#include "manual.h"

#include <algorithm>
#include <cctype>

#include "help.h"

namespace smpc::tools {
namespace {

// Text for troff: its own characters escaped, hyphens that can be copied, no line that begins with a request.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool line_begins = out.empty() || out.back() == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      case '`': out += "\\(ga"; break;
      case '\'': out += "\\(aq"; break;
      case '.': out += line_begins ? "\\&." : "."; break;
      default: out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// An argument of a macro.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : escaped(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return '"' + out + '"';
}

std::string option_entry(const OptionText& option) {
  std::string out = ".TP\n";
  if (!option.names.front().starts_with('-')) return out + italic(option.names.front()) + "\n" + escaped(option.about) + "\n";
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + bold(name);
  if (!option.value.empty()) names += " " + italic(option.value);
  return out + names + "\n" + escaped(option.about) + "\n";
}

std::string options(const std::vector<OptionText>& all, const std::string& group) {
  std::string out;
  for (const OptionText& option : all) {
    if (option.group == group || group.empty()) out += option_entry(option);
  }
  return out;
}

// "Asks a model. It ..." as "asks a model"
std::string one_line(const std::string& about) {
  std::string out = about.substr(0, about.find_first_of(".:\n"));
  if (out.size() > 1 && std::islower(static_cast<unsigned char>(out[1]))) {
    out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  }
  return out;
}

std::string paragraphs(const std::string& text) {
  std::string out;
  for (const char c : escaped(text)) out += c == '\n' ? std::string("\n.br\n") : std::string(1, c);
  return out + "\n";
}

std::string as_is(const std::string& lines) { return ".nf\n" + escaped(lines) + "\n.fi\n"; }

std::string subcommand(const CommandText& command) {
  std::string out = ".SS " + quoted(command.name + " " + usage(command)) + "\n" + paragraphs(command.about);
  out += options(command.positionals, "");
  for (const std::string& group : groups_of(command)) {
    if (group != help_group) out += options(command.options, group);
  }
  if (!command.examples.empty()) out += ".PP\n" + as_is(command.examples);
  return out;
}

constexpr const char* environment = R"(.TP
\fBSMPC_HOME\fR
where identities are: \fI$SMPC_HOME/ROLE\fR. Else \fI$XDG_CONFIG_HOME/smpc/ROLE\fR, else \fI\(ti/.config/smpc/ROLE\fR.
.TP
\fBXDG_STATE_HOME\fR
where state is kept: \fI$XDG_STATE_HOME/smpc/ROLE\fR, else \fI\(ti/.local/state/smpc/ROLE\fR.
.TP
\fBNO_COLOR\fR, \fBTERM\fR, \fBLC_ALL\fR
Without colour where NO_COLOR is set to anything. Without control of the cursor where TERM is dumb or not set. In ASCII
unless the locale is one of UTF\-8.
)";

}  // namespace

std::string manual_page(const CommandText& command) {
  std::string out = ".TH " + quoted(upper(command.name)) + " 1 \"\" \"smpc " SMPC_VERSION "\" \"smpc manual\"\n";
  out += ".\\\" Made by " + command.name + " \\-\\-print\\-man\\-page.\n.nh\n.ad l\n";
  out += ".SH NAME\n" + escaped(command.name) + " \\- " + escaped(one_line(command.about)) + "\n";
  out += ".SH SYNOPSIS\n" + bold(command.name) + " " + escaped(usage(command)) + "\n";
  out += ".SH DESCRIPTION\n" + paragraphs(command.about);
  out += ".SH OPTIONS\n" + options(command.positionals, "");
  for (const std::string& group : groups_of(command)) out += ".SS " + quoted(group) + "\n" + options(command.options, group);
  if (!command.commands.empty()) {
    out += ".SH COMMANDS\nThe options above are taken before and after a command.\n";
    for (const CommandText& sub : command.commands) out += subcommand(sub);
  }
  out += ".SH \"EXIT STATUS\"\n";
  for (const auto& [code, meaning] : exit_codes()) out += ".TP\n" + std::to_string(code) + "\n" + escaped(meaning) + "\n";
  out += std::string(".SH ENVIRONMENT\n") + environment;
  if (!command.examples.empty()) out += ".SH EXAMPLES\n" + as_is(command.examples);
  std::string trust = trust_model().substr(trust_model().find(": ") + 2);
  trust[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(trust[0])));
  out += ".SH TRUST\n" + escaped(trust) + "\n";
  out += ".SH \"SEE ALSO\"\n";
  std::string others;
  for (const char* tool : {"smpc-certs", "smpc-client", "smpc-compile", "smpc-dealer", "smpc-server", "smpc-verify"}) {
    if (tool != command.name) others += (others.empty() ? "" : ",\n") + bold(tool) + "(1)";
  }
  return out + others + "\n";
}

}  // namespace smpc::tools
