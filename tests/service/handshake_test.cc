// What is refused before anything is spent. After every refusal a good inference is right.
#include "service/support.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::RawSession;
using testing::World;

class Handshake : public ::testing::Test {
 protected:
  void SetUp() override { bundle_ = world_.prefetched("alice", 1).front().header_bytes; }

  // Refused with this code, in one line, nothing spent; and what was refused still serves.
  void expect_refused(control::Code code, const std::function<void(control::ClientRequest&)>& spoil) {
    {
      RawSession session = world_.dial();
      auto request = session.infer({bundle_});
      spoil(request);
      const auto refusal = session.ask(request);
      ASSERT_TRUE(refusal) << "the server is ready";
      EXPECT_EQ(refusal->code(), code) << refusal->text();
      EXPECT_FALSE(refusal->text().empty());
      EXPECT_EQ(refusal->text().find('\n'), std::string::npos);
      // Nothing follows a refusal.
      EXPECT_THROW(session.ask(session.infer({bundle_})), Error);
    }
    EXPECT_EQ(world_.serials_used(), used_);
    EXPECT_EQ(world_.stored().size(), 1U);
    world_.expect_good("alice");
    EXPECT_EQ(world_.serials_used(), ++used_);
    bundle_ = world_.prefetched("alice", 1).front().header_bytes;
  }

  World world_;
  Bytes bundle_;
  std::int64_t used_ = 0;
};

TEST_F(Handshake, fault_13_VersionMismatch) {
  for (const std::uint32_t version : {0U, protocol_version - 1, protocol_version + 1, 0xffffffffU}) {
    expect_refused(control::VERSION, [&](auto& r) { r.set_version(version); });
  }
}

TEST_F(Handshake, fault_14_ProgramHashMismatch) {
  expect_refused(control::PROGRAM, [](auto& r) { (*r.mutable_infer()->mutable_program())[31] ^= 1; });
  expect_refused(control::PROGRAM, [](auto& r) { r.mutable_infer()->clear_program(); });
}

TEST_F(Handshake, fault_69_MaskMismatch) {
  expect_refused(control::MASK, [](auto& r) { (*r.mutable_infer()->mutable_mask())[0] ^= 1; });
}

TEST_F(Handshake, AnotherOutputPolicy) {
  expect_refused(control::POLICY, [](auto& r) { r.mutable_infer()->set_reveal("logits"); });
}

TEST_F(Handshake, TooManyBundlesOrNone) {
  expect_refused(control::MALFORMED, [](auto& r) { r.mutable_infer()->clear_bundles(); });
  expect_refused(control::MALFORMED, [&](auto& r) {
    for (int i = 0; i < 64; ++i) r.mutable_infer()->add_bundles(text_of(bundle_));
  });
}

TEST_F(Handshake, fault_21_OneBundleTwiceInARequest) {
  expect_refused(control::SPENT, [&](auto& r) { r.mutable_infer()->add_bundles(text_of(bundle_)); });
}

TEST_F(Handshake, NoRequestAtAll) {
  expect_refused(control::MALFORMED, [](auto& r) { r.clear_what(); });
}

TEST_F(Handshake, WordsThatAreNoMessageEndTheSession) {
  {
    const RawSession session = world_.dial();
    session.channel->send(FrameType::control, as_bytes("\xff\xff\xff\xff"));
    EXPECT_THROW(receive_control<control::Reply>(*session.channel), Error);
  }
  {
    const RawSession session = world_.dial();
    session.channel->send(FrameType::data, as_bytes("out of turn"));
    EXPECT_THROW(receive_control<control::Reply>(*session.channel), Error);
  }
  EXPECT_EQ(world_.serials_used(), 0);
  world_.expect_good();
}

// A server that is newer than the client: nothing is asked of it.
TEST(HandshakeOfTheClient, fault_13_VersionMismatch) {
  World world;
  std::atomic<bool> asked = false;
  const test::Served server(world.identity("server", Role::server), test::allowing({Role::client}),
                            [&](Channel& channel, const PeerName&) {
                              control::ServerHello hello;
                              hello.set_version(protocol_version + 1);
                              send_control(channel, hello);
                              try {
                                receive_control<control::ClientRequest>(channel);
                                asked = true;
                              } catch (const Error&) {
                              }
                            });
  ClientOptions options;
  options.server = server.address();
  options.dealer = world.dealer_address();
  options.state = world.state("alice");
  {
    ClientService client(world.identity("alice", Role::client), options);
    const auto failure = failure_of([&] { client.connect(); });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::peer);
    EXPECT_NE(failure->text.find("version"), std::string::npos) << failure->text;
  }
  EXPECT_FALSE(asked);
  world.expect_good();
}

}  // namespace
}  // namespace smpc
