// Peers and networks that misbehave after the handshake, or before it.
#include "net/raw_tls.h"
#include "net/support.h"

namespace smpc::test {
namespace {

Bytes frame(std::uint8_t type, std::uint64_t length, ByteView payload) {
  ByteWriter out;
  out.u8(type);
  out.u64(length);
  out.bytes(payload);
  return out.take();
}

// A server that expects one data frame of 8 bytes, with a raw peer at the other end.
class RawPeer : public ::testing::Test {
 protected:
  RawPeer()
      : folder_(authority().issue("raw", Role::client)),
        served_(authority().identity(Role::server), allowing({Role::client}),
                [this](Channel& channel, const PeerName&) {
                  channel.set_deadline(within(patience_));
                  Bytes out(8);
                  channel.receive(FrameType::data, out);
                  ++received_;
                }) {}

  std::unique_ptr<RawTls> dial() {
    auto peer = std::make_unique<RawTls>(RawSocket::dial(served_.port()), RawOptions{folder_, TLS1_3_VERSION, false});
    EXPECT_TRUE(peer->handshake());
    return peer;
  }

  fs::path folder_;
  std::chrono::milliseconds patience_ = plenty;
  std::atomic<int> received_{0};
  Served served_;
};

TEST_F(RawPeer, AGoodFrameIsReceived) {
  const auto peer = dial();
  EXPECT_TRUE(peer->write(frame(2, 8, pattern(8))));
  EXPECT_EQ(peer->read(1), Bytes());  // until the goodbye
  EXPECT_EQ(SSL_get_shutdown(peer->ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  EXPECT_EQ(received_, 1);
}

TEST_F(RawPeer, fault_16_AFrameCutAtEveryOffset) {
  const Bytes whole = frame(2, 8, pattern(8));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    for (const bool polite : {true, false}) {
      Served served(authority().identity(Role::server), allowing({Role::client}),
                    [](Channel& channel, const PeerName&) {
                      Bytes out(8);
                      channel.receive(FrameType::data, out);
                    });
      RawTls peer(RawSocket::dial(served.port()), {folder_, TLS1_3_VERSION, false});
      ASSERT_TRUE(peer.handshake());
      EXPECT_TRUE(peer.write(ByteView(whole).first(cut)));
      if (polite) peer.say_goodbye();
      peer.close();
      EXPECT_HAS(served.failure(), polite ? "expected its next frame, found that the other side has ended the session"
                                          : "found the connection cut without a goodbye (close_notify)");
    }
  }
}

class BadLength : public RawPeer, public ::testing::WithParamInterface<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(fault_17, BadLength, ::testing::Values(0xffffffffULL, 1ULL << 63, ~0ULL, 7ULL, 9ULL, 8ULL << 32));

TEST_P(BadLength, IsRefusedBeforeMemoryIsTaken) {
  const auto peer = dial();
  EXPECT_TRUE(peer->write(frame(2, GetParam(), pattern(8))));
  EXPECT_HAS(served_.failure(),
             "expected a data frame of 8 bytes, found one that claims " + std::to_string(GetParam()));
}

TEST_P(BadLength, IsRefusedWhereTheLengthIsOpen) {
  Served served(authority().identity(Role::server), allowing({Role::client}),
                [](Channel& channel, const PeerName&) { channel.receive_up_to(FrameType::control, 6); });
  RawTls peer(RawSocket::dial(served.port()), {folder_, TLS1_3_VERSION, false});
  ASSERT_TRUE(peer.handshake());
  EXPECT_TRUE(peer.write(frame(1, GetParam(), {})));
  EXPECT_HAS(served.failure(), "of at most 6 bytes, found one that claims " + std::to_string(GetParam()));
}

TEST_F(RawPeer, fault_17_ARefusalMayNotBeLongEither) {
  const auto peer = dial();
  EXPECT_TRUE(peer->write(frame(4, 1ULL << 40, {})));
  EXPECT_HAS(served_.failure(), "expected a refusal of at most 512 bytes, found one that claims 1099511627776 bytes");
}

TEST_F(RawPeer, fault_18_AnUnknownTypeIsRefused) {
  const auto peer = dial();
  EXPECT_TRUE(peer->write(frame(99, 8, pattern(8))));
  EXPECT_HAS(served_.failure(), "expected a data frame, found a frame of an unknown type (type 99)");
}

TEST_F(RawPeer, fault_25_APeerThatStopsMeetsTheDeadline) {
  patience_ = brief;
  const auto peer = dial();
  EXPECT_HAS(served_.failure(), "expected its next frame before the deadline, found none in time");
}

TEST_F(RawPeer, fault_27_AFrameThatDripsMeetsTheDeadlineOfItsPhase) {
  patience_ = brief;
  const auto peer = dial();
  for (const std::byte b :
       frame(2, 8, pattern(8))) {  // 17 bytes in 850 ms, each well before the deadline after the last
    if (!peer->write(ByteView(&b, 1))) break;
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_HAS(served_.failure(), "before the deadline, found none in time");
  EXPECT_EQ(received_, 0);
}

TEST(TlsFaults, fault_25_APeerThatReadsNothingMeetsTheDeadline) {
  TlsPair pair;
  pair.client().set_deadline(within(brief));
  const Bytes much(std::size_t{64} << 20);
  EXPECT_HAS(error_of([&] { pair.client().send(FrameType::bulk, much); }), "urn:smpc:server:server (127.0.0.1:");
  EXPECT_EQ(pair.client().traffic(), Traffic{});
}

TEST(TlsFaults, fault_28_AServerThatNeverAnswersMeetsTheDeadline) {
  const RawSocket listening = RawSocket::listen();  // the kernel accepts, nobody else does
  EXPECT_HAS(error_of([&] {
               tls_connect("127.0.0.1:" + std::to_string(listening.port()), authority().identity(Role::client),
                           Role::server, within(brief));
             }),
             "expected a TLS 1.3 handshake before the deadline, found none in time");
}

TEST(TlsFaults, fault_28_AClientThatNeverSpeaksMeetsTheDeadline) {
  ListenerOptions options = allowing({Role::client});
  options.handshake_timeout = brief;
  Served served(authority().identity(Role::server), options, [](Channel&, const PeerName&) {});
  const RawSocket silent = RawSocket::dial(served.port());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_HAS(served.failure(), "expected a TLS 1.3 handshake before the deadline, found none in time");
}

TEST(TlsFaults, fault_10_OneFlippedBitIsFoundByBothSides) {
  std::atomic<bool> first{false};
  Served served(authority().identity(Role::server), allowing({Role::client}), [&](Channel& channel, const PeerName&) {
    Bytes out(1000);
    channel.receive(FrameType::data, out);
    first = true;
    channel.send(FrameType::control, {});
    channel.receive(FrameType::data, out);
  });
  Relay relay(served.port());
  const auto channel = tls_connect("127.0.0.1:" + std::to_string(relay.port()), authority().identity(Role::client),
                                   Role::server, within(plenty));
  channel->send(FrameType::data, pattern(1000));
  channel->receive(FrameType::control, {});
  EXPECT_TRUE(first);
  relay.flip_next();
  channel->send(FrameType::data, pattern(1000));
  Bytes out(1);
  EXPECT_HAS(error_of([&] { channel->receive(FrameType::data, out); }),
             "found that the other side received bytes that were altered on the way (alert bad_record_mac)");
  EXPECT_HAS(served.failure(), "expected its next frame, found bytes that were altered on the way (bad record MAC)");
}

TEST(TlsFaults, ASessionThatFailsBreaksOffWithoutAGoodbye) {
  Served served(authority().identity(Role::server), allowing({Role::client}), [](Channel& channel, const PeerName&) {
    channel.send(FrameType::control, {});
    throw std::runtime_error("a fault of the session");
  });
  const auto channel = connect(served, authority().identity(Role::client));
  channel->receive(FrameType::control, {});
  EXPECT_HAS(error_of([&] { channel->receive(FrameType::control, {}); }), "cut without a goodbye (close_notify)");
  EXPECT_EQ(served.failure(), "a fault of the session");
}

}  // namespace
}  // namespace smpc::test
