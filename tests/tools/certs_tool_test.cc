// smpc-certs as a process: what it writes and how it ends.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::test {
namespace {

class CertsTool : public ::testing::Test {
 protected:
  struct Outcome {
    int code;
    std::string text;  // both streams
  };
  // SMPC_HOME is the temporary folder.
  Outcome run(const std::string& arguments) {
    const std::string command =
        "SMPC_HOME='" + home_.path().string() + "' '" + SMPC_BIN_DIR + "/smpc-certs' " + arguments + " 2>&1 </dev/null";
    Outcome out{-1, {}};
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return out;
    char part[1024];
    for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, pipe)) > 0;) out.text.append(part, n);
    const int status = ::pclose(pipe);
    out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return out;
  }
  fs::path folder() const { return home_.path(); }

 private:
  TemporaryFolder home_;
};

TEST_F(CertsTool, InitMakesThreeIdentitiesThatConnect) {
  const Outcome made = run("init");
  ASSERT_EQ(made.code, 0) << made.text;
  for (const char* file : {"ca.key.pem", "ca.pem", "server/key.pem", "client/cert.pem", "dealer/ca.pem"}) {
    EXPECT_HAS(made.text, (folder() / file).string() + ": ");
  }
  EXPECT_EQ(Identity::load(folder() / "dealer", Role::dealer).name().uri(), "urn:smpc:dealer:dealer");
  Served served(Identity::load(folder() / "server", Role::server), allowing({Role::client}),
                [](Channel& channel, const PeerName&) { channel.send(FrameType::control, {}); });
  const Identity client = Identity::load(folder() / "client", Role::client);
  for (const char* host : {"localhost:", "127.0.0.1:"}) {
    tls_connect(host + std::to_string(served.port()), client, Role::server, within(plenty))
        ->receive(FrameType::control, {});
  }
}

TEST_F(CertsTool, InitNeverOverwrites) {
  ASSERT_EQ(run("init").code, 0);
  const Bytes before = read_file(folder() / "ca.key.pem");
  const Outcome again = run("init");
  EXPECT_EQ(again.code, 3);
  EXPECT_HAS(again.text, "ca.pem: expected no CA here yet, found one, which is never overwritten");
  EXPECT_EQ(read_file(folder() / "ca.key.pem"), before);
}

TEST_F(CertsTool, InitSparesIdentitiesOfAnotherCa) {
  fs::create_directory(folder() / "client");
  write_file(folder() / "client" / "key.pem", as_bytes("the hospital's own"));
  EXPECT_EQ(run("init").code, 3);
  EXPECT_FALSE(fs::exists(folder() / "ca.pem"));
}

TEST_F(CertsTool, IssueAddsAnIdentityWithOptionsOnEitherSide) {
  const std::string ca = folder().string();
  ASSERT_EQ(run("init " + ca).code, 0);
  EXPECT_EQ(run("issue " + ca + " --role client --name ward-3").code, 0);
  EXPECT_EQ(Identity::load(folder() / "ward-3", Role::client).name().uri(), "urn:smpc:client:ward-3");
  EXPECT_EQ(run("--role server --name main issue " + ca + " --host smpc.example.org 192.0.2.7").code, 0);
  EXPECT_EQ(Identity::load(folder() / "main", Role::server).name().uri(), "urn:smpc:server:main");
}

TEST_F(CertsTool, ExitCodesTellUsageFromBadInput) {
  const std::string ca = folder().string();
  EXPECT_EQ(run("issue " + ca + " --role client --name x").code, 3);  // no CA there
  ASSERT_EQ(run("init").code, 0);
  for (const std::string& wrong :
       {std::string(), std::string("frobnicate"), std::string("init --frobnicate"), std::string("init a b"),
        std::string("init --role client"), "issue " + ca + " --name x", "issue " + ca + " --role client",
        "issue " + ca + " --role owner --name x", "issue " + ca + " --role client --name ..",
        "issue " + ca + " --role server --name x", "issue " + ca + " --role server --name x --host a:7200",
        std::string("issue --role client --name x")}) {
    const Outcome outcome = run(wrong);
    EXPECT_EQ(outcome.code, 2) << wrong << ": " << outcome.text;
    EXPECT_EQ(outcome.text.find('\n'), outcome.text.size() - 1) << outcome.text;  // one line
  }
}

TEST_F(CertsTool, HelpStatesWhoIsTrusted) {
  for (const char* arguments : {"--help", "init --help", "issue --help"}) EXPECT_EQ(run(arguments).code, 0);
  EXPECT_HAS(run("--help").text, "no two join");
}

}  // namespace
}  // namespace smpc::test
