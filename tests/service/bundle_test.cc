// One bundle, one inference: whoever asks, however often, and at whatever moment.
#include <atomic>
#include <latch>
#include <set>

#include "service/support.h"

namespace smpc {
namespace {

using testing::RawSession;
using testing::World;

std::optional<control::Refusal> offer(World& world, const std::string& client, const Bytes& header) {
  RawSession session = world.dial(client);
  return session.ask(session.infer({header}));
}

void expect_refused(World& world, const std::string& client, const Bytes& header, control::Code code) {
  const auto used = world.serials_used();
  const auto refusal = offer(world, client, header);
  ASSERT_TRUE(refusal) << "the server is ready";
  EXPECT_EQ(refusal->code(), code) << refusal->text();
  EXPECT_EQ(world.serials_used(), used);
}

TEST(Bundle, fault_05_AnotherClientsBundle) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  expect_refused(world, "bob", header, control::BUNDLE);
  world.expect_good("bob");
  EXPECT_EQ(world.stored("alice").size(), 1U);
  world.stop_dealer();  // so it is that very bundle
  world.expect_good("alice");
}

TEST(Bundle, fault_19_AReplayIsRefusedTheSameWayEachTime) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  world.expect_good("alice");
  EXPECT_EQ(world.serials_used(), 1);
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i) {
    const auto refusal = offer(world, "alice", header);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), control::SPENT);
    texts.push_back(refusal->text());
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[1], texts[2]);
  EXPECT_EQ(world.serials_used(), 1);
  world.expect_good("alice");
}

TEST(Bundle, fault_19_AServerThatStartsAgainKeepsRefusingIt) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  world.expect_good("alice");
  for (int i = 0; i < 2; ++i) {
    world.restart_server();
    expect_refused(world, "alice", header, control::SPENT);
  }
  world.expect_good("alice");
}

TEST(Bundle, fault_20_OfThirtyTwoSessionsWithOneBundleExactlyOneWins) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  constexpr int sessions = 32;
  std::latch connected(sessions);
  std::latch answered(sessions);
  std::atomic<int> ready = 0;
  std::atomic<int> spent = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < sessions; ++i) {
      threads.emplace_back([&] {
        RawSession session = world.dial("alice");
        connected.arrive_and_wait();
        const auto refusal = session.ask(session.infer({header}));
        if (!refusal) {
          ++ready;
        } else if (refusal->code() == control::SPENT) {
          ++spent;
        }
        answered.arrive_and_wait();  // the winner holds it until all have heard
      });
    }
  }
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(spent, sessions - 1);
  world.expect_good("bob");
}

TEST(Bundle, fault_22_OfAnotherProgramOtherWeightsOrAnotherServer) {
  World world;
  const ClientBundle bundle = std::move(world.prefetched("alice", 1).front());
  const auto signed_by_the_dealer = [key = world.root_key()](const BundleHeader& h) {
    return encode(h, program_key(key, h.program, h.mask));
  };
  ASSERT_EQ(signed_by_the_dealer(bundle.header), bundle.header_bytes);  // so a spoilt one fails for what was spoilt
  const std::function<void(BundleHeader&)> spoils[] = {
      [](BundleHeader& h) { h.program[0] ^= std::byte{1}; },   [](BundleHeader& h) { h.mask[31] ^= std::byte{1}; },
      [](BundleHeader& h) { h.instance[5] ^= std::byte{1}; },  [](BundleHeader& h) { ++h.epoch; },
      [](BundleHeader& h) { --h.epoch; },                      [](BundleHeader& h) { h.expiry = 0; },
      [](BundleHeader& h) { h.client = "urn:smpc:client:x"; },
  };
  for (const auto& spoil : spoils) {
    BundleHeader h = bundle.header;
    spoil(h);
    expect_refused(world, "alice", signed_by_the_dealer(h), control::BUNDLE);
    world.expect_good("bob");
  }
  EXPECT_EQ(world.stored("alice").size(), 1U);
  world.stop_dealer();
  world.expect_good("alice");
}

TEST(Bundle, fault_22_ABundleOfAnotherServersDealer) {
  World world;
  World other;
  const Bytes header = other.prefetched("alice", 1).front().header_bytes;
  expect_refused(world, "alice", header, control::BUNDLE);
  world.expect_good("alice");
  other.expect_good("alice");
}

TEST(Bundle, EveryFlippedByteOfAHeaderIsRefused) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  for (std::size_t at = 0; at < header.size(); at += 7) {
    Bytes wrong = header;
    wrong[at] ^= std::byte{0x80};
    expect_refused(world, "alice", wrong, control::BUNDLE);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{32}, header.size() - 1}) {
    expect_refused(world, "alice", Bytes(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size)),
                   control::BUNDLE);
  }
  expect_refused(world, "alice", Bytes(longest_bundle_header + 1), control::BUNDLE);
  EXPECT_EQ(world.serials_used(), 0);
  world.expect_good("alice");
}

TEST(Bundle, fault_70_OneSerialWithTwoClients) {
  World world;
  const ClientBundle bundle = std::move(world.prefetched("alice", 1).front());
  BundleHeader h = bundle.header;
  h.client = world.identity("bob", Role::client).name().uri();
  const Bytes for_bob = encode(h, program_key(world.root_key(), h.program, h.mask));
  {
    // While alice's is in use...
    RawSession alice = world.dial("alice");
    ASSERT_FALSE(alice.ask(alice.infer({bundle.header_bytes})));
    expect_refused(world, "bob", for_bob, control::SPENT);
  }
  // ...and once it has been used.
  const Bytes second = world.prefetched("carol", 1).front().header_bytes;
  world.expect_good("carol");
  h = decode_bundle_header(second);
  h.client = world.identity("bob", Role::client).name().uri();
  expect_refused(world, "bob", encode(h, program_key(world.root_key(), h.program, h.mask)), control::SPENT);
  world.expect_good("bob");
}

// A session that breaks off after READY and before the server's first message has cost the server nothing.
TEST(Bundle, ASessionThatBreaksOffBeforeTheServerSpeaksIsNotJournaled) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  {
    RawSession session = world.dial("alice");
    ASSERT_FALSE(session.ask(session.infer({header})));
  }
  EXPECT_EQ(world.serials_used(), 0);
  world.expect_good("bob");
}

TEST(Bundle, SerialsOfTheDealerNeverRepeat) {
  World world;
  std::set<Serial> serials;
  for (const char* name : {"alice", "bob"}) {
    for (const ClientBundle& b : world.prefetched(name, 40)) {
      EXPECT_TRUE(serials.insert(b.header.serial).second);
      EXPECT_EQ(b.header.client, world.identity(name, Role::client).name().uri());
    }
  }
  world.stop_dealer();
  world.start_dealer();
  for (const ClientBundle& b : world.prefetched("carol", 40)) EXPECT_TRUE(serials.insert(b.header.serial).second);
  Database db(world.state("dealer") / "dealer.db", "");
  Statement row = db.prepare("SELECT count(*) FROM issued");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 120);
}

}  // namespace
}  // namespace smpc
