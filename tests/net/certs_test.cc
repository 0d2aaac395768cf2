#include "smpc/net/certs.h"

#include <sys/stat.h>

#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::test {
namespace {

unsigned mode_of(const fs::path& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0);
  return st.st_mode & 0777U;
}

CertificateRequest request(Role role, const char* name, std::vector<std::string> hosts = {}, Validity validity = {}) {
  CertificateRequest out;
  out.name.role = role;
  out.name.name = name;
  out.hosts = std::move(hosts);
  out.validity = validity;
  return out;
}

TEST(Certs, KeysAndFoldersAreTheOwnersAlone) {
  const TemporaryFolder base;
  const fs::path ca = base.path() / "ca";
  make_ca(ca);
  issue_certificate(ca, request(Role::client, "alice"), ca / "alice");
  EXPECT_EQ(mode_of(ca), 0700U);
  EXPECT_EQ(mode_of(ca / "ca.key.pem"), 0600U);
  EXPECT_EQ(mode_of(ca / "alice"), 0700U);
  EXPECT_EQ(mode_of(ca / "alice" / "key.pem"), 0600U);
  EXPECT_EQ(read_file(ca / "ca.pem"), read_file(ca / "alice" / "ca.pem"));
}

TEST(Certs, ACaIsNeverOverwritten) {
  Authority made;
  const Bytes before = read_file(made.folder() / "ca.pem");
  EXPECT_HAS(error_of([&] { make_ca(made.folder()); }, ErrorKind::bad_input), "which is never overwritten");
  fs::remove(made.folder() / "ca.pem");
  EXPECT_HAS(error_of([&] { make_ca(made.folder()); }, ErrorKind::bad_input), "ca.key.pem: expected no CA here yet");
  EXPECT_NE(before, Bytes());
}

TEST(Certs, ARenewalKeepsTheIdentityAndChangesTheKey) {
  Authority made;
  const fs::path folder = made.issue("alice", Role::client);
  const Bytes before = read_file(folder / "key.pem");
  issue_certificate(made.folder(), request(Role::client, "alice"), folder);
  EXPECT_NE(read_file(folder / "key.pem"), before);
  EXPECT_EQ(Identity::load(folder, Role::client).name().uri(), "urn:smpc:client:alice");
}

TEST(Certs, AnotherIdentityIsNotReplaced) {
  Authority made;
  const fs::path folder = made.issue("alice", Role::client);
  EXPECT_HAS(
      error_of([&] { issue_certificate(made.folder(), request(Role::server, "alice"), folder); }, ErrorKind::bad_input),
      "expected an empty place or an older urn:smpc:server:alice, found urn:smpc:client:alice");
}

TEST(Certs, BadRequestsAreUsageErrors) {
  Authority made;
  const auto refused = [&](const CertificateRequest& wish) {
    return error_of([&] { issue_certificate(made.folder(), wish, made.folder() / "x"); }, ErrorKind::usage);
  };
  EXPECT_HAS(refused(request(Role::client, "a/b")), "--name: expected 1 to 64");
  EXPECT_HAS(refused(request(Role::client, "..")), "--name: expected 1 to 64");
  EXPECT_HAS(refused(request(Role::client, "x", {"host:7200"})), "--host: expected a DNS name or an IP address");
  EXPECT_HAS(refused(request(Role::client, "x", {"a,DNS:b"})), "--host: expected a DNS name or an IP address");
  EXPECT_HAS(refused(request(Role::client, "x", {"smpc.example.org", "a b"})), "found 'a b', a character that no host name has");
  EXPECT_HAS(refused(request(Role::client, "x", {}, {0s, longest_leaf_lifetime + 1s})), "at most 825 days");
  EXPECT_FALSE(fs::exists(made.folder() / "x" / "cert.pem"));
}

TEST(Certs, WildcardsAddressesAndAsciiFormsAreHosts) {
  Authority made;
  const std::vector<std::string> hosts{"*.example.org", "xn--klnik-6qa.example", "192.0.2.7", "2001:db8::1", "localhost"};
  const fs::path folder = made.issue("many", Role::server, {}, hosts);
  Served served(Identity::load(folder, Role::server), allowing({Role::client}),
                [](Channel& channel, const PeerName&) { channel.send(FrameType::control, {}); });
  const Identity client = made.identity(Role::client);
  for (const char* host : {"smpc.example.org", "xn--klnik-6qa.example", "192.0.2.7", "2001:db8::1", "LOCALHOST"}) {
    tls_connect(served.address(), client, Role::server, within(plenty), host)->receive(FrameType::control, {});
  }
  EXPECT_EQ(served.sessions(), 5);
}

TEST(Certs, IssuingNeedsTheCa) {
  const TemporaryFolder empty;
  EXPECT_HAS(error_of([&] { issue_certificate(empty.path(), request(Role::client, "x"), empty.path() / "x"); },
                      ErrorKind::bad_input),
             "found no such file: run smpc-certs init");
}

TEST(Certs, ACaKeyThatOthersCanReadIsRefused) {
  Authority made;
  fs::permissions(made.folder() / "ca.key.pem", fs::perms(0644));
  EXPECT_HAS(error_of([&] { made.issue("x", Role::client); }, ErrorKind::bad_input), "run chmod 600");
}

}  // namespace
}  // namespace smpc::test
