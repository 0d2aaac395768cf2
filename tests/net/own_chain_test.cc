// What a hospital's own certificates have to be, is judged when they are loaded; what is wrong is named, with its place. Each
// is refused by `openssl verify`, too, or by a handshake.
#include <openssl/x509v3.h>

#include "net/pki.h"
#include "net/raw_tls.h"
#include "net/support.h"
#include "smpc/net/identity.h"

namespace smpc::test {
namespace {

constexpr const char* both = "serverAuth,clientAuth";
constexpr const char* loopback_hosts = "DNS:localhost,IP:127.0.0.1,IP:::1";

class HospitalPki : public ::testing::Test {
 protected:
  fs::path written(const Certified& leaf, const std::vector<Certified>& between, const std::vector<Certified>& authorities) {
    const fs::path out = base_.path() / std::to_string(++made_);
    write_identity(out, leaf, between, authorities);
    return out;
  }
  fs::path good(const Wish& wish) { return written(certify(wish, &intermediate_), {intermediate_}, {root_}); }

  static std::string refused(const fs::path& folder, Role role) {
    const std::string said = error_of([&] { Identity::load(folder, role); }, ErrorKind::bad_input);
    EXPECT_EQ(said.find('\n'), said.npos);
    return said;
  }

  static Wish root_wish() {
    Wish wish = authority_wish("Root");
    wish.key = "RSA-2048";
    return wish;
  }

  TemporaryFolder base_;
  int made_ = 0;
  Certified root_ = certify(root_wish());
  Certified intermediate_ = certify(authority_wish("Intermediate"), &root_);
};

TEST_F(HospitalPki, ItsCertificatesAreTakenAndConnect) {
  const fs::path server = good(leaf_wish("server", "srv", both, loopback_hosts));
  for (const char* kind : {"P-256", "P-384", "P-521", "ED25519", "RSA-2048"}) {
    Wish wish = leaf_wish("client", std::string("cli-") + kind, "clientAuth", "");
    wish.key = kind;
    Served served(Identity::load(server, Role::server), allowing({Role::client}), say_ready);
    const auto channel = connect(served, Identity::load(good(wish), Role::client));
    EXPECT_EQ(as_text(channel->receive_up_to(FrameType::control, 16)), "ready") << kind;
  }
}

TEST_F(HospitalPki, WithoutAnExtendedKeyUsageItIsForEveryRole) {
  for (const Role role : {Role::server, Role::client, Role::dealer}) {
    const std::string word(role_name(role));
    EXPECT_EQ(Identity::load(good(leaf_wish(word, "any", "", loopback_hosts)), role).name().uri(), "urn:smpc:" + word + ":any");
  }
}

// openssl verify: error 20 at depth 0.
TEST_F(HospitalPki, ALeafWithoutItsIntermediateIsNamed) {
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &intermediate_), {}, {root_});
  EXPECT_HAS(refused(folder, Role::client),
             "cert.pem: expected a chain up to a CA in ca.pem, found that CN=cli,O=Hospital (depth 0) is issued by "
             "CN=Intermediate,O=Hospital, which is in neither file: append that intermediate to cert.pem");
}

// openssl verify: error 2 at depth 1.
TEST_F(HospitalPki, ACaFileOfTheIntermediateAloneIsNamed) {
  const Certified leaf = certify(leaf_wish("client", "cli", "clientAuth", ""), &intermediate_);
  for (const auto& between : {std::vector<Certified>{intermediate_}, std::vector<Certified>{}}) {
    EXPECT_HAS(refused(written(leaf, between, {intermediate_}), Role::client),
               "ca.pem: expected a root CA, found the intermediate CN=Intermediate,O=Hospital (depth 1) alone, issued by "
               "CN=Root,O=Hospital: put that root's certificate into ca.pem");
  }
}

// openssl verify -purpose sslclient: error 26 at depth 0.
TEST_F(HospitalPki, AnExtendedKeyUsageThatIsNotTheRolesIsNamed) {
  EXPECT_HAS(refused(good(leaf_wish("server", "srv", "serverAuth", loopback_hosts)), Role::server),
             "expected an extendedKeyUsage with serverAuth and clientAuth, since a server accepts clients and connects to its "
             "dealer, found serverAuth alone: issue it anew with serverAuth and clientAuth, or without an extendedKeyUsage");
  EXPECT_HAS(refused(good(leaf_wish("client", "cli", "serverAuth", "")), Role::client),
             "expected an extendedKeyUsage with clientAuth, found serverAuth alone");
  EXPECT_HAS(refused(good(leaf_wish("dealer", "dlr", "codeSigning", loopback_hosts)), Role::dealer),
             "expected an extendedKeyUsage with serverAuth, found neither serverAuth nor clientAuth");
  EXPECT_EQ(Identity::load(good(leaf_wish("dealer", "dlr", "serverAuth", loopback_hosts)), Role::dealer).name().name, "dlr");
}

TEST_F(HospitalPki, AKeyUsageWithoutSignaturesIsNamed) {
  Wish wish = leaf_wish("client", "cli", "clientAuth", "");
  wish.extensions[1].second = "critical,keyEncipherment";
  EXPECT_HAS(refused(good(wish), Role::client), "expected a keyUsage with digitalSignature");
}

// openssl verify: error 10 at depth 1.
TEST_F(HospitalPki, AnExpiredIntermediateIsNamed) {
  Wish wish = authority_wish("Intermediate");
  wish.lasts = std::chrono::hours(1);
  const Certified old = certify(wish, &root_);
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &old), {old}, {root_});
  EXPECT_HAS(refused(folder, Role::client), "found CN=Intermediate,O=Hospital (depth 1) that expired on 20");
}

TEST_F(HospitalPki, AnExpiredRootIsNamed) {
  Wish wish = authority_wish("Old Root");
  wish.lasts = std::chrono::hours(1);
  const Certified old = certify(wish);
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &old), {}, {old});
  EXPECT_HAS(refused(folder, Role::client), "found CN=Old Root,O=Hospital (depth 1) that expired on 20");
}

TEST_F(HospitalPki, AnIssuerThatMayNotSignIsNamed) {
  const Certified leaf = certify(leaf_wish("client", "no-ca", "clientAuth", ""), &intermediate_);
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &leaf), {leaf, intermediate_}, {root_});
  EXPECT_HAS(refused(folder, Role::client), "found CN=no-ca,O=Hospital (depth 1) that may not sign others");
}

TEST_F(HospitalPki, AKeyThatTlsDoesNotHaveIsNamed) {
  Wish wish = leaf_wish("client", "cli", "clientAuth", "");
  wish.key = "secp256k1";
  EXPECT_HAS(refused(good(wish), Role::client),
             "expected a key that TLS 1.3 takes, found one on the curve secp256k1, which TLS 1.3 does not have: use P-256");
  wish.key = "RSA-1024";
  EXPECT_HAS(refused(good(wish), Role::client), "found one of RSA with 1024 bits: use P-256");
}

TEST_F(HospitalPki, AServerWithoutAHostIsNamed) {
  EXPECT_HAS(refused(good(leaf_wish("server", "srv", both, "")), Role::server),
             "expected the host names or addresses by which others reach this server (subjectAltName), found none");
}

TEST_F(HospitalPki, ItsOwnCaMustBeInItsOwnFile) {
  const Certified other = certify(authority_wish("Other"));
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &intermediate_), {intermediate_}, {other});
  EXPECT_HAS(refused(folder, Role::client), "found that CN=Intermediate,O=Hospital (depth 1) is issued by CN=Root,O=Hospital, which is in neither file");
}

// The other side's mistakes are named, too, with their place in the chain.
TEST_F(HospitalPki, AClientWithoutItsIntermediateIsToldOf) {
  Served served(Identity::load(good(leaf_wish("server", "srv", both, loopback_hosts)), Role::server), allowing({Role::client}), say_ready);
  const auto folder = written(certify(leaf_wish("client", "cli", "clientAuth", ""), &intermediate_), {}, {root_});
  RawTls client(RawSocket::dial(served.port()), {folder, TLS1_3_VERSION, false});
  EXPECT_TRUE(client.handshake());
  EXPECT_EQ(client.read(1), Bytes());
  EXPECT_HAS(served.failure(), "found a certificate (urn:smpc:client:cli) from another CA than the one in this side's ca.pem, or sent "
                               "without an intermediate: its issuer CN=Intermediate,O=Hospital is neither there nor sent along");
}

TEST_F(HospitalPki, AForwardedPortIsReachedByTheServersOwnName) {
  const fs::path server = good(leaf_wish("server", "srv", both, "DNS:*.example.org"));
  const Identity client = Identity::load(good(leaf_wish("client", "cli", "clientAuth", "")), Role::client);
  Served served(Identity::load(server, Role::server), allowing({Role::client}), say_ready);
  EXPECT_HAS(error_of<Refused>([&] { connect(served, client); }),
             "that is not valid for the host 127.0.0.1 but for *.example.org: dial it by one of these, give one as --server-name where a "
             "port is forwarded, or issue one with --host 127.0.0.1");
  EXPECT_HAS(error_of<Refused>([&] { tls_connect(served.address(), client, Role::server, within(plenty), "a.b.example.org"); }),
             "that is not valid for the host a.b.example.org");  // * is one label
  const auto channel = tls_connect(served.address(), client, Role::server, within(plenty), "smpc.example.org");
  EXPECT_EQ(as_text(channel->receive_up_to(FrameType::control, 16)), "ready");
  EXPECT_EQ(served.sessions(), 1);
}

}  // namespace
}  // namespace smpc::test
