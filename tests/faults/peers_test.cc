// What strangers do at the two ports: they come with the wrong certificate or none, speak something else, break off, lie
// about lengths, or hold connections open. The daemons are the tools as processes.
#include "faults/world.h"
#include "net/raw_tls.h"
#include "net/support.h"
#include "support/peak_memory.h"

namespace smpc::faults {
namespace {

using testing::Daemon;
using test::RawSocket;
using test::RawTls;


class Peers : public ::testing::Test {
 protected:
  struct Port {
    Daemon* daemon;
    std::uint16_t number;
  };

  Peers() {
    world_.start();
    const auto number = [](const std::string& port) { return static_cast<std::uint16_t>(std::stoul(port)); };
    ports_ = {{world_.server.get(), number(world_.server_port)}, {world_.dealer.get(), number(world_.dealer_port)}};
  }
  void TearDown() override {
    for (const Port& p : ports_) {
      const long peak = testing::peak_memory_kb(std::to_string(p.daemon->pid()));
      EXPECT_GT(peak, 0);
      EXPECT_LT(peak, memory_cap_kb);
    }
    world_.expect_good();
  }

  std::filesystem::path identity(const std::string& role) const { return world_.folder / ("id/" + role); }
  static RawTls dial(const Port& port, const test::RawOptions& options) { return {RawSocket::dial(port.number), options}; }
  // One that both daemons take.
  RawTls dial(const Port& port) const { return dial(port, {.identity = identity("client")}); }
  // A certificate counts only once the client's last flight has been checked: the refusal comes with the first read.
  static bool let_in(RawTls& peer) { return peer.handshake() && !peer.read(1).empty(); }
  static Bytes frame(std::uint8_t type, std::uint64_t length, std::size_t payload) {
    Bytes out(frame_header_bytes + payload, std::byte{0x5a});
    out[0] = std::byte{type};
    std::memcpy(out.data() + 1, &length, sizeof length);
    return out;
  }

  World world_;
  std::vector<Port> ports_;
};

TEST_F(Peers, fault_01_AnExpiredCertificate) {
  const auto expired = world_.folder / "expired";
  CertificateRequest request;
  request.name = {Role::client, "client"};
  request.hosts = {"127.0.0.1"};
  request.validity = {std::chrono::hours(-48), std::chrono::hours(24)};
  issue_certificate(world_.folder / "id", request, expired);
  for (const Port& port : ports_) {
    RawTls peer = dial(port, {.identity = expired});
    EXPECT_FALSE(let_in(peer));
    EXPECT_EQ(peer.reason(), SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
    port.daemon->wait_for("expired");
  }
}

TEST_F(Peers, fault_02_ACertificateOfAnotherCa) {
  const auto foreign = test::other_authority().issue("client", Role::client);
  for (const Port& port : ports_) {
    RawTls peer = dial(port, {.identity = foreign});
    EXPECT_FALSE(let_in(peer));
    port.daemon->wait_for("CA");
  }
}

TEST_F(Peers, fault_03_NoCertificate) {
  for (const Port& port : ports_) {
    RawTls peer = dial(port, {});
    EXPECT_FALSE(let_in(peer));
    EXPECT_EQ(peer.reason(), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
    port.daemon->wait_for("certificate");
  }
}

TEST_F(Peers, fault_04_TheWrongRole) {
  RawTls server = dial(ports_[0], {.identity = identity("server")});
  EXPECT_TRUE(server.handshake());
  EXPECT_HAS(std::string(as_text(server.read(frame_header_bytes + longest_refusal))), "expected a client on this port");
  world_.server->wait_for("refused: expected a client on this port, found urn:smpc:server:server");
  for (const Port& port : ports_) {  // a dealer's certificate is good for accepting alone
    RawTls dealer = dial(port, {.identity = identity("dealer")});
    EXPECT_FALSE(let_in(dealer));
    port.daemon->wait_for("found a certificate (urn:smpc:dealer:dealer) that may not be used on that side");
  }
}

TEST_F(Peers, fault_06_OnlyTls12) {
  for (const Port& port : ports_) {
    RawTls peer = dial(port, {.identity = identity("client"), .version = TLS1_2_VERSION});
    EXPECT_FALSE(peer.handshake());
    EXPECT_EQ(peer.reason(), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    port.daemon->wait_for("TLS 1.3");
  }
}

TEST_F(Peers, fault_07_PlainText) {
  for (const Port& port : ports_) {
    const RawSocket peer = RawSocket::dial(port.number);
    EXPECT_TRUE(peer.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(peer.read_all().find("HTTP"), std::string::npos);
    port.daemon->wait_for("TLS");
  }
}

TEST_F(Peers, fault_16_ARequestCutAtEveryOffset) {
  const Bytes whole = frame(1, 24, 24);
  for (const Port& port : ports_) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      RawTls peer = dial(port);
      ASSERT_TRUE(let_in(peer));
      EXPECT_TRUE(peer.write(ByteView(whole).first(cut)));
      if (cut % 2 == 0) peer.say_goodbye();
      peer.close();
    }
    port.daemon->wait_for("cut without a goodbye");
  }
}

TEST_F(Peers, fault_17_LengthsThatNoFrameHas) {
  for (const Port& port : ports_) {
    for (const std::uint64_t length : {0xffffffffULL, 1ULL << 63, ~0ULL, 8ULL << 32}) {
      RawTls peer = dial(port);
      ASSERT_TRUE(let_in(peer));
      EXPECT_TRUE(peer.write(frame(1, length, 64)));
      while (!peer.read(4096).empty()) {
      }
      port.daemon->wait_for("found one that claims " + std::to_string(length));
    }
  }
}

TEST_F(Peers, fault_18_FramesOutOfPlace) {
  for (const Port& port : ports_) {
    for (const std::uint8_t type : {2, 3, 99}) {
      RawTls peer = dial(port);
      ASSERT_TRUE(let_in(peer));
      EXPECT_TRUE(peer.write(frame(type, 8, 8)));
      while (!peer.read(4096).empty()) {
      }
      port.daemon->wait_for("(type " + std::to_string(type) + ")");
    }
  }
}

// Held open with half a handshake, a byte every now and then: meanwhile others are served.
TEST_F(Peers, fault_26_TwoHundredConnectionsThatDrip) {
  std::vector<RawSocket> dripping;
  const std::string start("\x16\x03\x01\x02\x00\x01", 6);
  for (const Port& port : ports_) {
    for (int i = 0; i < 200; ++i) dripping.push_back(RawSocket::dial(port.number));
  }
  for (const char byte : start) {
    for (const RawSocket& s : dripping) s.write({&byte, 1});
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  world_.expect_good();
}

}  // namespace
}  // namespace smpc::faults
