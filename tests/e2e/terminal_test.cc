// What a person at a terminal sees of smpc-client, and what scripts see of it.
#include <gtest/gtest.h>

#include <fstream>

#include "deployment.h"
#include "support/pty.h"

namespace smpc {
namespace {

using testing::demo;
using testing::Deployment;
using testing::Outcome;
using testing::PtyOptions;
using testing::PtyOutcome;
using testing::run_on_terminal;
using testing::Screen;

const std::map<std::string, std::string> rich = {{"TERM", "xterm-256color"}, {"LC_ALL", "C.UTF-8"}, {"NO_COLOR", ""}};

class AtATerminal : public ::testing::Test {
 protected:
  AtATerminal() {
    s.start_dealer();
    s.start_server();
  }
  std::vector<std::string> arguments(std::vector<std::string> own) const {
    own.insert(own.end(), {"--server", "127.0.0.1:" + s.server_port, "--dealer", s.dealer_address(), "--identity",
                           (s.folder / "id/client").string(), "--state", (s.folder / "state/client").string()});
    return own;
  }
  PtyOutcome client(std::vector<std::string> own, PtyOptions options) const {
    return run_on_terminal("smpc-client", arguments(std::move(own)), options);
  }
  static std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    return out;
  }
  // The lines of progress are drawn, and are gone in the end.
  static void expect_drawn_and_gone(const PtyOutcome& r, std::size_t columns) {
    const Screen screen(r.drawn, columns);
    EXPECT_NE(r.drawn.find("\033[K"), std::string::npos);
    EXPECT_EQ(joined(screen.lines).find("connecting"), std::string::npos) << joined(screen.lines);
    EXPECT_EQ(joined(screen.lines).find("inference, "), std::string::npos) << joined(screen.lines);
  }
  Deployment s{{"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"}};
};

TEST_F(AtATerminal, ProgressThenTheResultThenItsCost) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  const PtyOutcome r = client({"--image", (demo / "scan.nii.gz").string()}, {.columns = 90, .environment = rich});
  ASSERT_EQ(r.exit_code, 0) << r.drawn;
  for (const char* phase : {"connecting", "fetching the program", "fetching the masked weights", "taking correlated randomness",
                            "masking the volume", "inference, "}) {
    EXPECT_NE(r.drawn.find(phase), std::string::npos) << phase;
  }
  expect_drawn_and_gone(r, 90);
  const Screen screen(r.drawn, 90);
  EXPECT_FALSE(screen.wrapped);
  ASSERT_GE(screen.lines.size(), 10U);
  EXPECT_EQ(screen.lines[0].find("  network"), 0U);
  EXPECT_EQ(screen.lines[1].find("  LANG-BROCA"), 0U);
  EXPECT_NE(screen.lines[1].find("━╸  0.9998"), std::string::npos) << screen.lines[1];
  EXPECT_EQ(screen.lines[6], "");
  EXPECT_EQ(screen.lines[7].find("inference: client sent "), 0U) << screen.lines[7];
}

TEST_F(AtATerminal, FitsANarrowOneAndDrawsAsciiWithoutColourWhereThatIsWanted) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  ASSERT_EQ(s.client({"prefetch", "--count", "40"}).exit_code, 0);
  for (const std::size_t columns : {25U, 50U, 200U}) {
    const PtyOutcome r = client({"--image", (demo / "scan4d.nii.gz").string(), "--volume", "all", "--json"},
                                {.columns = columns, .environment = rich, .output_to_file = true});
    ASSERT_EQ(r.exit_code, 0) << r.drawn;
    expect_drawn_and_gone(r, columns);
    EXPECT_LT(Screen(r.drawn, columns).widest, columns);
    EXPECT_TRUE(Screen(r.drawn, columns).lines.empty()) << "nothing but progress";
    EXPECT_EQ(nlohmann::json::parse(r.out)["results"].size(), 20U);
    EXPECT_EQ(r.drawn.find("volumes 1 to 20 of 20") != std::string::npos, columns == 200) << r.drawn;
  }
  const PtyOutcome plain = client({"--image", (demo / "scan.nii.gz").string()},
                                  {.columns = 70, .environment = {{"TERM", "xterm"}, {"LC_ALL", "C"}, {"NO_COLOR", "1"}}});
  ASSERT_EQ(plain.exit_code, 0);
  EXPECT_EQ(plain.drawn.find("m  "), std::string::npos) << "a colour";
  for (const char c : plain.drawn) EXPECT_LT(static_cast<unsigned char>(c), 0x80) << plain.drawn;
  EXPECT_NE(plain.drawn.find("####"), std::string::npos);
}

TEST_F(AtATerminal, ADumbOneGetsLinesAndNoControl) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  const PtyOutcome r = client({"--image", (demo / "scan.nii.gz").string()}, {.environment = {{"TERM", "dumb"}, {"LC_ALL", "C.UTF-8"}}});
  ASSERT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.drawn.find('\033'), std::string::npos) << r.drawn;
  EXPECT_NE(r.drawn.find("fetching the masked weights\r\n"), std::string::npos) << r.drawn;
  EXPECT_NE(r.drawn.find("LANG-BROCA"), std::string::npos);
}

TEST_F(AtATerminal, ScriptsSeeWhatTheyAlwaysSaw) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  const Outcome alone = s.client({"--image", (demo / "scan.nii.gz").string()});
  EXPECT_EQ(alone.err, "");  // no terminal: no progress
  EXPECT_EQ(alone.out.substr(0, alone.out.find('\n')), "LANG-BROCA  0.9998");
  // Progress on a terminal, the result in a file: the same as without one.
  const PtyOutcome half = client({"--image", (demo / "scan.nii.gz").string()},
                                 {.columns = 80, .environment = rich, .output_to_file = true});
  EXPECT_EQ(half.out.substr(0, half.out.find('\n')), "LANG-BROCA  0.9998");
  EXPECT_NE(half.drawn.find("connecting"), std::string::npos);
  EXPECT_TRUE(Screen(half.drawn, 80).lines.empty());
  const Outcome verbose = s.client({"--image", (demo / "scan.nii.gz").string(), "-v"});
  EXPECT_NE(verbose.out.find("The model's owner (urn:smpc:server:server) learned that urn:smpc:client:client asked"),
            std::string::npos)
      << verbose.out;
}

TEST_F(AtATerminal, AnErrorStandsOnALineOfItsOwn) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  s.server->stop();
  const PtyOutcome r = client({"--image", (demo / "scan.nii.gz").string()}, {.columns = 300, .environment = rich});
  EXPECT_EQ(r.exit_code, 4);
  const Screen screen(r.drawn, 300);
  ASSERT_EQ(screen.lines.size(), 1U) << r.drawn;
  EXPECT_EQ(screen.lines[0].find("smpc-client: "), 0U) << screen.lines[0];
}

TEST_F(AtATerminal, CtrlCLeavesNoHalfLine) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  s.server->stop();
  s.dealer->stop();
  s.start_dealer();
  s.start_server(false);
  // Ctrl-C as soon as something stands there.
  bool sent = false;
  const PtyOutcome r = client({"--image", (demo / "scan.nii.gz").string()},
                              {.environment = rich, .watch = [&](int pid, const std::string&) {
                                 if (!sent) ::kill(pid, SIGINT);
                                 sent = true;
                               }});
  EXPECT_EQ(r.exit_code, 128 + SIGINT);
  EXPECT_TRUE(Screen(r.drawn, 80).lines.empty()) << r.drawn;
}

TEST(Untrusted, WhatAModelCallsItsClassesSteersNoTerminal) {
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  const testing::TemporaryFolder folder;
  {
    std::ofstream labels(folder / "labels");
    for (int i = 0; i < 58; ++i) labels << "\033]0;title\007\033[31mclass " << i << "\302\233A\n";
  }
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota", "--labels", (folder / "labels").string()});
  s.start_dealer();
  s.start_server();
  CompileOptions o;
  o.reveal = Reveal::logits;
  for (int i = 0; i < 58; ++i) o.labels.push_back("\033]0;title\007\033[31mclass " + std::to_string(i) + "\302\233A");
  const testing::Reference reference(o);
  s.reference = &reference;
  const Outcome plain = s.client({"--image", (demo / "scan.nii.gz").string()});
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  const Outcome exact = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  for (const std::string* text : {&plain.out, &exact.out}) {
    for (const char c : *text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << *text;
  }
  EXPECT_EQ(plain.out.find("\\x1b]0;title\\x07\\x1b[31mclass "), 0U) << plain.out;
  const auto index = exact.json()["results"][0]["index"].get<std::size_t>();
  EXPECT_EQ(exact.json()["results"][0]["label"], o.labels.at(index));  // a program gets what is there

  std::vector<std::string> arguments{"--image", (demo / "scan.nii.gz").string(), "--server", "127.0.0.1:" + s.server_port,
                                     "--dealer", s.dealer_address(), "--identity", (s.folder / "id/client").string(),
                                     "--state", (s.folder / "state/client").string()};
  const PtyOutcome drawn = run_on_terminal("smpc-client", arguments, {.columns = 100, .environment = rich});
  ASSERT_EQ(drawn.exit_code, 0);
  EXPECT_NE(Screen(drawn.drawn, 100).lines.at(1).find("\\x1b]0;title"), std::string::npos);  // throws at any other control

  const Outcome file = s.client({"--image", "/no/such/\033[31mscan.nii"});
  EXPECT_EQ(file.exit_code, 3);
  EXPECT_NE(file.err.find("/no/such/\\x1b[31mscan.nii"), std::string::npos) << file.err;
}

}  // namespace
}  // namespace smpc
