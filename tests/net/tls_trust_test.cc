// Who may connect to whom.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include "net/raw_tls.h"
#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::test {
namespace {

std::string first_frame(Channel& channel) {
  return std::string(as_text(channel.receive_up_to(FrameType::control, 16)));
}

// What a client of this identity is told, by tls_connect or by its first receive; it has sent no frame by then.
std::string refusal_of(const Served& served, const Identity& identity, Role expected = Role::server) {
  return error_of<Refused>([&] {
    const auto channel = connect(served, identity, expected);
    EXPECT_EQ(channel->traffic(), Traffic{});
    first_frame(*channel);
  });
}

// A certificate of the CA, for a client, that names nobody: a good one with its alternative names cut out, signed anew.
fs::path without_identity() {
  const fs::path folder = authority().issue("nobody", Role::client);
  const auto open = [](const fs::path& path, const char* mode) { return std::fopen(path.c_str(), mode); };
  std::FILE* file = open(folder / "cert.pem", "r");
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  file = open(authority().folder() / "ca.key.pem", "r");
  EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  X509_EXTENSION_free(X509_delete_ext(certificate, X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)));
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  file = open(folder / "cert.pem", "w");
  EXPECT_EQ(PEM_write_X509(file, certificate), 1);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return folder;
}

class Trust : public ::testing::Test {
 protected:
  Served& server() {
    if (!served_)
      served_ = std::make_unique<Served>(authority().identity(Role::server), allowing({Role::client}), say_ready);
    return *served_;
  }
  // A good client is served whatever came before.
  void TearDown() override {
    if (!served_) return;
    const auto channel = connect(*served_, authority().identity(Role::client));
    EXPECT_EQ(first_frame(*channel), "ready");
    EXPECT_EQ(served_->sessions(), 1);
  }

 private:
  std::unique_ptr<Served> served_;
};

std::time_t in(std::chrono::seconds time) { return std::time(nullptr) + time.count(); }

TEST_F(Trust, fault_01_ExpiredClientIsRefused) {
  const auto folder = authority().issue("expired", Role::client, {-2h, 1h});
  const std::string told = refusal_of(server(), Identity::load(folder, Role::client, in(-90min)));
  EXPECT_HAS(told, "closed the connection during the handshake: it may not accept this certificate");
  EXPECT_HAS(told, "as expired (alert certificate_expired): renew it");
  EXPECT_HAS(server().failure(), "found a certificate (urn:smpc:client:expired) that expired on 20");
}

TEST_F(Trust, fault_01_NotYetValidClientIsRefused) {
  const auto folder = authority().issue("early", Role::client, {1h, 2h});
  EXPECT_HAS(refusal_of(server(), Identity::load(folder, Role::client, in(90min))),
             "it may not accept this certificate");
  EXPECT_HAS(server().failure(), "found a certificate (urn:smpc:client:early) that is valid only from 20");
}

TEST_F(Trust, fault_01_ExpiredServerIsRefused) {
  const auto folder = authority().issue("expired-server", Role::server, {-2h, 1h});
  Served served(Identity::load(folder, Role::server, in(-90min)), allowing({Role::client}), say_ready);
  EXPECT_HAS(
      error_of<Refused>([&] { connect(served, authority().identity(Role::client)); }),
      "expected a certificate to trust, found a certificate (urn:smpc:server:expired-server) that expired on 20");
  EXPECT_HAS(served.failure(), "refused this side's certificate as expired");
  EXPECT_EQ(served.sessions(), 0);
}

TEST_F(Trust, fault_02_ServerOfAnotherCaIsRefused) {
  Served served(other_authority().identity(Role::server), allowing({Role::client}), say_ready);
  EXPECT_HAS(error_of<Refused>([&] { connect(served, authority().identity(Role::client)); }),
             "found a certificate (urn:smpc:server:server) from another CA than the one in this side's ca.pem");
  EXPECT_HAS(served.failure(), "does not know the CA of this side's certificate (alert unknown_ca)");
  EXPECT_EQ(served.sessions(), 0);
}

TEST_F(Trust, fault_02_ClientOfAnotherCaIsRefused) {
  const fs::path folder = other_authority().issue("stranger", Role::client);
  Bytes both = read_file(folder / "ca.pem");  // it trusts the server's CA beside its own
  const Bytes servers = read_file(authority().folder() / "ca.pem");
  both.insert(both.end(), servers.begin(), servers.end());
  write_file(folder / "ca.pem", both);
  const std::string told = refusal_of(server(), Identity::load(folder, Role::client));
  EXPECT_HAS(told, "it may not accept this certificate");
  EXPECT_HAS(told, "does not know the CA of this side's certificate (alert unknown_ca)");
  EXPECT_HAS(server().failure(), "found a certificate (urn:smpc:client:stranger) from another CA");
}

TEST_F(Trust, fault_03_NoClientCertificateIsRefused) {
  RawTls client(RawSocket::dial(server().port()), {});
  EXPECT_TRUE(client.handshake());  // TLS 1.3 tells it only afterwards
  EXPECT_EQ(client.read(1), Bytes());
  EXPECT_EQ(client.reason(), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
  EXPECT_HAS(server().failure(), "found a peer without a certificate");
}

struct Pair {
  Role dialling, listening;
};

class RolePairs : public ::testing::TestWithParam<Pair> {
 protected:
  // Served to the end, over a port for `allowed` that should be a `listening` one's.
  static bool connects(Role expected, std::vector<Role> allowed) {
    const auto [dialling, listening] = GetParam();
    Served served(authority().identity(listening), allowing(std::move(allowed)), say_ready);
    try {
      return first_frame(*connect(served, authority().identity(dialling), expected)) == "ready";
    } catch (const Refused&) {
      EXPECT_EQ(served.sessions(), 0);
      return false;
    }
  }
};

constexpr Pair all_pairs[] = {{Role::client, Role::client}, {Role::client, Role::server}, {Role::client, Role::dealer},
                              {Role::server, Role::client}, {Role::server, Role::server}, {Role::server, Role::dealer},
                              {Role::dealer, Role::client}, {Role::dealer, Role::server}, {Role::dealer, Role::dealer}};
INSTANTIATE_TEST_SUITE_P(fault_04, RolePairs, ::testing::ValuesIn(all_pairs), [](const auto& given) {
  return std::string(role_name(given.param.dialling)) + "_to_" + std::string(role_name(given.param.listening));
});

TEST_P(RolePairs, OnTheOnlinePortOnlyClientToServer) {
  const auto [dialling, listening] = GetParam();
  EXPECT_EQ(connects(Role::server, {Role::client}), dialling == Role::client && listening == Role::server);
}

TEST_P(RolePairs, OnTheDealersPortOnlyClientAndServerToDealer) {
  const auto [dialling, listening] = GetParam();
  EXPECT_EQ(connects(Role::dealer, {Role::client, Role::server}),
            dialling != Role::dealer && listening == Role::dealer);
}

TEST_F(Trust, fault_04_AServerOnTheOnlinePortIsToldWhy) {
  const auto folder = authority().issue("second-server", Role::server);
  EXPECT_HAS(refusal_of(server(), Identity::load(folder, Role::server)),
             "urn:smpc:server:server refused: expected a client on this port, found urn:smpc:server:second-server");
  EXPECT_HAS(server().failure(), "refused: expected a client on this port");
}

TEST_F(Trust, fault_04_AClientThatReachesTheDealerInsteadIsToldSo) {
  Served dealer(authority().identity(Role::dealer), allowing({Role::client}), say_ready);
  EXPECT_HAS(refusal_of(dealer, authority().identity(Role::client)),
             "expected a server, found urn:smpc:dealer:dealer: is this the right address?");
  EXPECT_HAS(dealer.failure(),
             "did not accept this side's certificate (alert bad_certificate): is it of the right role");
  EXPECT_EQ(dealer.sessions(), 0);
}

TEST_F(Trust, ACertificateOfTheCaWithoutAnIdentityIsRefused) {
  RawTls client(RawSocket::dial(server().port()), {without_identity(), TLS1_3_VERSION, false});
  EXPECT_TRUE(client.handshake());
  EXPECT_EQ(client.read(1), Bytes());
  EXPECT_EQ(client.reason(), SSL_R_SSLV3_ALERT_BAD_CERTIFICATE);
  EXPECT_HAS(server().failure(), "expected a certificate with one identity urn:smpc:ROLE:NAME");
}

TEST_F(Trust, fault_06_ATls12ClientIsRefusedWithProtocolVersion) {
  RawTls client(RawSocket::dial(server().port()), {authority().issue("client", Role::client), TLS1_2_VERSION, false});
  EXPECT_FALSE(client.handshake());
  EXPECT_EQ(client.reason(), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
  EXPECT_HAS(server().failure(), "found an older version of TLS, answered with protocol_version");
}

TEST_F(Trust, fault_06_ATls12ServerIsRefusedWithProtocolVersion) {
  const RawSocket listening = RawSocket::listen();
  std::thread old([&] {
    RawTls server12(listening.accept(), {authority().issue("server", Role::server), TLS1_2_VERSION, true});
    EXPECT_FALSE(server12.handshake());
  });
  EXPECT_HAS(error_of([&] {
               tls_connect("127.0.0.1:" + std::to_string(listening.port()), authority().identity(Role::client),
                           Role::server, within(plenty));
             }),
             "expected a TLS 1.3 handshake, found that the other side does not speak TLS 1.3 (alert protocol_version)");
  old.join();
}

TEST_F(Trust, fault_07_PlainTextIsClosed) {
  const RawSocket http = RawSocket::dial(server().port());
  EXPECT_TRUE(http.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_LT(http.read_all().size(), 16U);  // an alert at most
  EXPECT_HAS(server().failure(), "expected a TLS 1.3 handshake, found a plain HTTP request");
}

TEST_F(Trust, fault_07_OtherBytesAreClosed) {
  const RawSocket plain = RawSocket::dial(server().port());
  EXPECT_TRUE(plain.write("hello, is anybody there?\n"));
  EXPECT_LT(plain.read_all().size(), 16U);
  EXPECT_HAS(server().failure(), "found bytes that are not TLS (plain text?)");
}

TEST_F(Trust, fault_07_APlainTextServerIsRefused) {
  const RawSocket listening = RawSocket::listen();
  std::thread plain([&] {
    const RawSocket peer = listening.accept();
    EXPECT_TRUE(peer.write("220 mail.example.org ESMTP\r\n"));
    peer.read_all();
  });
  EXPECT_HAS(error_of([&] {
               tls_connect("127.0.0.1:" + std::to_string(listening.port()), authority().identity(Role::client),
                           Role::server, within(plenty));
             }),
             "found bytes that are not TLS (plain text?)");
  plain.join();
}

TEST_F(Trust, fault_09_NoTicketAndNoEarlyDataAreOffered) {
  const auto folder = authority().issue("raw", Role::client);
  Served served(authority().identity(Role::server), allowing({Role::client}), say_ready);
  RawTls first(RawSocket::dial(served.port()), {folder, TLS1_3_VERSION, false});
  ASSERT_TRUE(first.handshake());
  EXPECT_EQ(first.read(100).size(), frame_header_bytes + 5);  // to the end: a ticket would have come before it
  EXPECT_EQ(first.sessions_offered(), 0);
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get_session(first.ssl())), 0);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(SSL_get_session(first.ssl())), 0U);
  RawTls again(RawSocket::dial(served.port()), {folder, TLS1_3_VERSION, false});
  SSL_set_session(again.ssl(), SSL_get_session(first.ssl()));
  ASSERT_TRUE(again.handshake());
  EXPECT_EQ(SSL_session_reused(again.ssl()), 0);
  EXPECT_EQ(again.read(100).size(), frame_header_bytes + 5);
}

TEST_F(Trust, AServerOfAnotherHostIsRefused) {
  const auto folder = authority().issue("elsewhere", Role::server, {}, {"smpc.example.org", "192.0.2.1"});
  Served served(Identity::load(folder, Role::server), allowing({Role::client}), say_ready);
  const Identity client = authority().identity(Role::client);
  EXPECT_HAS(error_of<Refused>([&] { connect(served, client); }),
             "that is not valid for the host 127.0.0.1 but for smpc.example.org, 192.0.2.1");
  const std::string by_name = "localhost:" + std::to_string(served.port());
  EXPECT_HAS(error_of<Refused>([&] { tls_connect(by_name, client, Role::server, within(plenty)); }),
             "that is not valid for the host localhost but for smpc.example.org");
  EXPECT_EQ(served.sessions(), 0);
}

TEST_F(Trust, AHostMayBeDialledByName) {
  Served served(authority().identity(Role::server), allowing({Role::client}), say_ready);
  const auto channel = tls_connect("localhost:" + std::to_string(served.port()), authority().identity(Role::client),
                                   Role::server, within(plenty));
  EXPECT_EQ(channel->peer_identity(), "urn:smpc:server:server");
  EXPECT_EQ(first_frame(*channel), "ready");
}

TEST_F(Trust, WhereNobodyListensIsAnErrorOfItsOwn) {
  RawSocket taken = RawSocket::listen();
  const std::uint16_t port = taken.port();
  taken.close();
  EXPECT_HAS(error_of<NobodyListens>([&] {
               tls_connect("127.0.0.1:" + std::to_string(port), authority().identity(Role::client), Role::server,
                           within(plenty));
             }),
             "expected somebody to listen there, found nobody (Connection refused)");
  EXPECT_HAS(error_of<NobodyListens>([&] {
               tls_connect("no-such-host.invalid:1", authority().identity(Role::client), Role::server, within(5s));
             }),
             "no-such-host.invalid:1: expected");
}

}  // namespace
}  // namespace smpc::test
