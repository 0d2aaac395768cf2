// --help, the manual pages and the completion, all from one definition: each must hold every option.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>

#include "help.h"
#include "manual.h"
#include "completion.h"
#include "support/pty.h"
#include "tools/shell.h"

namespace smpc::tools {
namespace {

using smpc::testing::run;

std::string content(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The option names at the beginnings of --help's lines.
std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> out;
  const std::regex line("\n  (-[^ ]+(, -[^ ]+)*)");
  const std::regex name("--?[a-z_-]+");
  for (auto at = std::sregex_iterator(help.begin(), help.end(), line); at != std::sregex_iterator(); ++at) {
    const std::string names = (*at)[1];
    for (auto n = std::sregex_iterator(names.begin(), names.end(), name); n != std::sregex_iterator(); ++n) out.insert(n->str());
  }
  return out;
}

std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> out;
  const auto begin = help.find("\nCommands:\n");
  if (begin == std::string::npos) return out;
  const std::string list = help.substr(begin + 11, help.find("\n\n", begin + 11) - begin - 11);
  const std::regex name("(^|\n)  ([a-z]+)");
  for (auto at = std::sregex_iterator(list.begin(), list.end(), name); at != std::sregex_iterator(); ++at) out.push_back((*at)[2]);
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

TEST(Definition, EveryOptionOfHelpIsInTheManualAndCompleted) {
  for (const std::string& tool : all_tools) {
    const std::string help = run(tool, {"--help"}).out;
    std::vector<std::string> texts{help};
    const auto commands = commands_in(help);
    for (const std::string& command : commands) texts.push_back(run(tool, {command, "--help"}).out);
    const std::string page = replaced(content(std::string(SMPC_SHARE_DIR) + "/man/man1/" + tool + ".1"), "\\-", "-");
    const std::string completion = content(std::string(SMPC_SHARE_DIR) + "/bash-completion/completions/" + tool);
    std::size_t found = 0;
    for (const std::string& text : texts) {
      for (const std::string& option : options_in(text)) {
        ++found;
        EXPECT_NE(page.find("\\fB" + option + "\\fR"), std::string::npos) << tool << " " << option;
        EXPECT_TRUE(std::regex_search(completion, std::regex("[' ]" + option + "[' ]"))) << tool << " " << option;
      }
    }
    EXPECT_GE(found, 5U) << tool;
    EXPECT_EQ(commands.size(), tool == "smpc-client" ? 5U : tool == "smpc-certs" ? 2U : tool == "smpc-server" ? 1U : 0U) << help;
  }
}

TEST(Definition, HelpFitsEightyColumnsAndEndsWithTheTrustModelInThreeLines) {
  EXPECT_EQ(std::count(trust_model().begin(), trust_model().end(), '\n'), 2);
  for (const std::string& tool : all_tools) {
    const std::string help = run(tool, {"--help"}).out;
    EXPECT_TRUE(help.ends_with("\n" + trust_model() + "\n")) << help;
    const std::string own = help.substr(0, help.find("\nExamples:"));  // examples are shown as they are
    std::istringstream lines(own);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(Definition, HelpNamesGroupsLimitsAndDefaults) {
  const std::string help = run("smpc-dealer", {"--help"}).out;
  EXPECT_NE(help.find("\nCapacity:\n  --pool N                bundles kept ready"), std::string::npos) << help;
  EXPECT_NE(help.find("0 to\n                          100000 (default: 16)"), std::string::npos) << help;
  EXPECT_NE(help.find("--listen HOST:PORT"), std::string::npos);
  EXPECT_NE(help.find("(default:\n                          127.0.0.1:7100)"), std::string::npos);
  EXPECT_NE(run("smpc-client", {"prefetch", "--help"}).out.find("smpc-client prefetch [OPTIONS] --count N\n"),
            std::string::npos);
}

TEST(Definition, EveryToolTellsItsVersion) {
  for (const std::string& tool : all_tools) {
    const auto r = run(tool, {"--version"});
    EXPECT_EQ(r.exit_code, 0);
    EXPECT_TRUE(std::regex_match(r.out, std::regex("smpc [0-9]+\\.[0-9]+\\.[0-9]+\n"))) << r.out;
  }
}

TEST(Manual, IsFormattedWithoutAWarningAndShowsNoBuilder) {
  for (const std::string& tool : all_tools) {
    const std::string page = std::string(SMPC_SHARE_DIR) + "/man/man1/" + tool + ".1";
    EXPECT_EQ(shell("groff -man -ww -z -Tutf8 " + page), std::make_pair(0, std::string())) << tool;
    const auto [code, text] = shell("groff -man -Tascii -P-cbou " + page);
    EXPECT_EQ(code, 0);
    for (const char* heading : {"NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES", "TRUST", "SEE ALSO"}) {
      EXPECT_NE(text.find(std::string("\n") + heading + "\n"), std::string::npos) << tool << " " << heading;
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && std::string(home).size() > 1) {
      EXPECT_EQ(text.find(std::string(home) + "/.config"), std::string::npos) << tool;
    }
  }
}

TEST(Manual, EscapesWhatTroffWouldTakeForARequest) {
  CommandText command;
  command.name = "tool";
  command.about = ".so /etc/passwd is \\n no request. 'nor this ~`^";
  const std::string page = manual_page(command);
  EXPECT_NE(page.find("\n\\&.so /etc/passwd is \\en no request. \\(aqnor this \\(ti\\(ga\\(ha\n"), std::string::npos) << page;
}

// What the completion offers for the words of a line, the last of which is being typed; sorted, with spaces. What is
// left to readline is shown as "files" or "folders".
std::string completed(const std::string& tool, const std::vector<std::string>& words) {
  std::string array;
  for (const std::string& word : words) array += " '" + word + "'";
  const std::string function = replaced("_" + tool, "-", "_");
  const auto [code, text] =
      shell("bash -u -c '" +
            replaced("compopt() { [[ $2 == default ]] && echo files || echo folders; }\n"
                     "source '" + std::string(SMPC_SHARE_DIR) + "/bash-completion/completions/" + tool + "'\n" +
                     "COMP_WORDS=(" + tool + array + ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n" + function +
                     "\n(( ${#COMPREPLY[@]} == 0 )) || printf \"%s\\n\" \"${COMPREPLY[@]}\" | sort",
                     "'", "'\\''") +
            "'");
  EXPECT_EQ(code, 0) << text;
  std::string out = replaced(text, "\n", " ");
  if (!out.empty()) out.pop_back();
  return out;
}

TEST(Completion, IsBashWithoutAFault) {
  for (const std::string& tool : all_tools) {
    EXPECT_EQ(shell("bash -n '" + std::string(SMPC_SHARE_DIR) + "/bash-completion/completions/" + tool + "'"),
              std::make_pair(0, std::string()));
  }
}

TEST(Completion, OffersOptionsValuesFilesAndCommands) {
  EXPECT_EQ(completed("smpc-server", {"--re"}), "--reveal");
  EXPECT_EQ(completed("smpc-server", {"--reveal", ""}), "label logits");
  EXPECT_EQ(completed("smpc-server", {"--reveal", "lo"}), "logits");
  EXPECT_EQ(completed("smpc-server", {"--reveal", "=", "la"}), "label");  // --reveal=la, as bash cuts it
  EXPECT_EQ(completed("smpc-server", {"--reveal", "="}), "label logits");
  EXPECT_EQ(completed("smpc-server", {"--model", ""}), "files");
  EXPECT_EQ(completed("smpc-server", {"--state", "/"}), "folders");
  EXPECT_EQ(completed("smpc-server", {"--listen", ""}), "");
  EXPECT_EQ(completed("smpc-server", {"--model", "m.onnx", "--bump"}), "--bump-epoch");
  EXPECT_EQ(completed("smpc-client", {"pre"}), "prefetch");
  EXPECT_EQ(completed("smpc-client", {"prefetch", "--c"}), "--count");
  EXPECT_EQ(completed("smpc-client", {"prefetch", "--count", "3", "--serv"}), "--server --server-name");
  EXPECT_EQ(completed("smpc-client", {"--c"}), "");  // belongs to prefetch
  EXPECT_EQ(completed("smpc-client", {"--image", "prefetch", "pre"}), "prefetch");  // a file of that name
  EXPECT_EQ(completed("smpc-client", {"--server", "localhost", ":", "7200", "pre"}), "prefetch");
  EXPECT_EQ(completed("smpc-client", {"--server", "localhost", ":"}), "");
  EXPECT_EQ(completed("smpc-client", {"--server", "localhost", ":", "7"}), "");
  EXPECT_EQ(completed("smpc-certs", {""}), "init issue");
  EXPECT_EQ(completed("smpc-certs", {"issue", ""}), "folders");
  EXPECT_EQ(completed("smpc-certs", {"issue", "ca", "--role", ""}), "client dealer server");
  EXPECT_EQ(completed("smpc-client", {"study", ""}), "folders");
  EXPECT_EQ(completed("smpc-client", {"study", "a", "b", ""}), "participant");
  EXPECT_EQ(completed("smpc-client", {"study", "a", "b", "participant", "--participant"}),
            "--participant-label --participant_label");
  EXPECT_EQ(completed("smpc-client", {"study", "a", "b", "participant", "--participant_label", "01", "02", "--n-v"}), "--n-volumes");
  EXPECT_EQ(completed("smpc-compile", {""}), "files");
  EXPECT_EQ(completed("smpc-compile", {"--join", "a", ""}), "files");
}

TEST(Completion, WorksInAnInteractiveShell) {
  if (!smpc::testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  const smpc::testing::TemporaryFolder folder;
  std::ofstream(folder / "the model.onnx") << "x";
  const std::string completions = std::string(SMPC_SHARE_DIR) + "/bash-completion/completions/smpc-server";
  const auto r = smpc::testing::run_on_terminal(
      "/bin/bash", {"--norc", "--noprofile", "-i"},
      {.columns = 250,
       .environment = {{"TERM", "dumb"}, {"HISTFILE", "/dev/null"}, {"PS1", "$ "}},
       .typed = "source '" + completions + "'; smpc-server() { printf '<%s>' \"$@\"; echo; }\n" +
                "smpc-server --dra\t7 --reve\tlab\t --model " + (folder / "the").string() + "\t --listen localhost:7\t\nexit\n"});
  EXPECT_NE(r.drawn.find("<--drain><7><--reveal><label><--model><" + (folder / "the model.onnx").string() +
                         "><--listen><localhost:7>\r\n"),
            std::string::npos)
      << r.drawn;
}

}  // namespace
}  // namespace smpc::tools
