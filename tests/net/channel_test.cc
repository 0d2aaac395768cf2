// What every channel does, over TLS and in memory alike.
#include "smpc/net/channel.h"

#include "net/support.h"

namespace smpc::test {
namespace {

class Channels : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      tls_ = std::make_unique<TlsPair>();
    } else {
      memory_ = memory_channels("urn:smpc:client:client", "urn:smpc:server:server");
    }
    client().set_deadline(within(plenty));
    server().set_deadline(within(plenty));
  }
  Channel& client() { return tls_ ? tls_->client() : *memory_.first; }
  Channel& server() { return tls_ ? tls_->server() : *memory_.second; }
  void drop_client() { tls_ ? tls_->drop_client() : memory_.first.reset(); }

 private:
  std::unique_ptr<TlsPair> tls_;
  std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> memory_;
};

INSTANTIATE_TEST_SUITE_P(Net, Channels, ::testing::Bool(),
                         [](const auto& given) { return given.param ? "Tls" : "Memory"; });

TEST_P(Channels, NameTheOtherEnd) {
  EXPECT_EQ(client().peer_identity(), "urn:smpc:server:server");
  EXPECT_EQ(server().peer_identity(), "urn:smpc:client:client");
}

TEST_P(Channels, CarryFramesBothWaysAndCountThem) {
  const Bytes ready = pattern(3), first = pattern(100'000, 2), none;
  server().send(FrameType::control, ready);
  EXPECT_EQ(client().receive_up_to(FrameType::control, 3), ready);
  std::thread sender([&] { client().send(FrameType::data, first); });
  Bytes found(first.size());
  server().receive(FrameType::data, found);
  sender.join();
  EXPECT_EQ(found, first);
  client().send(FrameType::bulk, none);
  server().receive(FrameType::bulk, {});
  EXPECT_EQ(client().traffic(), (Traffic{9 + 100'000 + 9, 9 + 3, 2, 1}));
  EXPECT_EQ(server().traffic(), (Traffic{9 + 3, 9 + 100'000 + 9, 1, 2}));
  EXPECT_EQ(client().traffic() - Traffic({9, 0, 1, 0}), (Traffic{100'009, 12, 1, 1}));
  EXPECT_EQ(client().traffic() + server().traffic(), (Traffic{100'030, 100'030, 3, 3}));
}

TEST_P(Channels, CarryEverySizeAroundARecord) {
  for (const std::size_t size : {1U, 16374U, 16375U, 16376U, 16384U, 32759U, 40000U}) {
    const Bytes sent = pattern(size, static_cast<unsigned>(size));
    client().send(FrameType::data, sent);
    EXPECT_EQ(server().receive_up_to(FrameType::data, size), sent);
  }
}

TEST_P(Channels, CarrySixtyFourMegabytesInPieces) {
  const Bytes sent = pattern(std::size_t{64} << 20);
  std::thread sender([&] { client().send(FrameType::bulk, sent); });
  Bytes found, piece(1'000'000);
  found.reserve(sent.size());
  server().receive_pieces(FrameType::bulk, sent.size(), piece,
                          [&](ByteView part) { found.insert(found.end(), part.begin(), part.end()); });
  sender.join();
  EXPECT_TRUE(found == sent);
  EXPECT_EQ(server().traffic().received_bytes, sent.size() + 9);
}

TEST_P(Channels, LetBothSendAtOnceUpToTheLimit) {
  const Bytes half = pattern(duplex_bytes - frame_header_bytes);
  client().send(FrameType::data, half);
  server().send(FrameType::data, half);
  EXPECT_EQ(client().receive_up_to(FrameType::data, half.size()), half);
  EXPECT_EQ(server().receive_up_to(FrameType::data, half.size()), half);
}

TEST_P(Channels, fault_18_AnotherTypeIsRefused) {
  client().send(FrameType::bulk, pattern(5));
  Bytes out(5);
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }),
             "urn:smpc:client:client: expected a data frame, found a bulk frame (type 3)");
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }), "found that it had failed before");
}

TEST_P(Channels, fault_18_AnotherLengthIsRefused) {
  for (const std::size_t size : {0U, 4U, 6U}) {
    SetUp();
    client().send(FrameType::data, pattern(size));
    Bytes out(5);
    EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }),
               "expected a data frame of 5 bytes, found one that claims " + std::to_string(size));
    EXPECT_EQ(out, Bytes(5));
  }
}

TEST_P(Channels, fault_18_ARepeatedFrameIsRefused) {
  client().send(FrameType::control, pattern(5));
  client().send(FrameType::control, pattern(5));
  EXPECT_EQ(server().receive_up_to(FrameType::control, 5), pattern(5));
  Bytes out(5);
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }), "expected a data frame, found a control frame");
}

TEST_P(Channels, MoreThanTheLongestIsRefused) {
  client().send(FrameType::control, pattern(6));
  EXPECT_HAS(error_of([&] { server().receive_up_to(FrameType::control, 5); }),
             "expected a control frame of at most 5 bytes, found one that claims 6 bytes");
}

TEST_P(Channels, ARefusalComesInsteadOfAnyFrame) {
  client().refuse("another version: expected 1, found 2\n\x1b[1m");
  Bytes out(1000);
  EXPECT_EQ(error_of<Refused>([&] { server().receive(FrameType::data, out); }),
            "urn:smpc:client:client refused: another version: expected 1, found 2??[1m");
}

TEST_P(Channels, AGoodbyeIsAnErrorWhereAFrameIsExpected) {
  client().close();
  client().close();
  Bytes out(1);
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }),
             "found that the other side has ended the session");
  EXPECT_HAS(error_of([&] { client().send(FrameType::data, out); }), "found that this side has closed it");
}

TEST_P(Channels, WhatWasSentBeforeAGoodbyeArrives) {
  client().send(FrameType::data, pattern(20'000));
  client().close();
  EXPECT_EQ(server().receive_up_to(FrameType::data, 20'000), pattern(20'000));
}

TEST_P(Channels, fault_11_AnEndWithoutAGoodbyeIsAnError) {
  client().send(FrameType::data, pattern(5));
  drop_client();
  EXPECT_EQ(server().receive_up_to(FrameType::data, 5), pattern(5));
  Bytes out(1);
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }),
             "found the connection cut without a goodbye (close_notify)");
}

TEST_P(Channels, fault_25_ASilentPeerMeetsTheDeadline) {
  server().set_deadline(within(brief));
  Bytes out(1);
  EXPECT_HAS(error_of([&] { server().receive(FrameType::data, out); }), "before the deadline, found");
  EXPECT_HAS(error_of([&] { server().send(FrameType::data, out); }), "found that it had failed before");
}

TEST_P(Channels, ADeadlineThatHasPassedFailsAtOnce) {
  client().set_deadline(Clock::now() - 1s);
  EXPECT_HAS(error_of([&] { client().send(FrameType::data, pattern(5)); }), "before the deadline, found");
}

TEST_P(Channels, APieceThatThrowsLeavesNoFrameHalfRead) {
  client().send(FrameType::bulk, pattern(10));
  Bytes piece(4);
  EXPECT_THROW(
      server().receive_pieces(FrameType::bulk, 10, piece, [](ByteView) { throw std::runtime_error("disk full"); }),
      std::runtime_error);
  EXPECT_HAS(error_of([&] { server().receive_up_to(FrameType::data, 10); }), "expected the rest of a frame");
}

}  // namespace
}  // namespace smpc::test
