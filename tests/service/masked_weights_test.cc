// The download of the masked weights, and what they say.
#include <set>

#include "service/support.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using testing::RawSession;
using testing::World;

fs::path only_file(const fs::path& folder) {
  fs::path found;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    found = entry.path();
    ++files;
  }
  EXPECT_EQ(files, 1U);
  return found;
}

// All that the server sends from `offset` on; breaks off after `most` bytes.
Bytes fetch(World& world, std::uint64_t offset, std::size_t most = ~std::size_t{0}) {
  RawSession session = world.dial("raw");
  auto request = session.request();
  request.mutable_fetch_weights()->set_offset(offset);
  EXPECT_FALSE(session.ask(request));
  Bytes out;
  while (offset + out.size() < session.hello.masked_bytes() && out.size() < most) {
    const Bytes row = session.channel->receive_up_to(FrameType::bulk, 1 << 20);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

Bytes tail(const Bytes& bytes, std::size_t from) {
  return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end());
}

TEST(MaskedWeights, AreSentFromAnyOffset) {
  World world;
  const Bytes whole = fetch(world, 0);
  ASSERT_EQ(whole.size(), MaskedLayout(world.plan()).bytes());
  const std::size_t row = MaskedLayout::row_bytes(MaskedLayout(world.plan()).linears[0]);
  for (const std::size_t offset : {std::size_t{1}, row - 1, row, row + 1, whole.size() / 2, whole.size() - 1, whole.size()}) {
    EXPECT_EQ(fetch(world, offset), tail(whole, offset)) << offset;
  }
  RawSession session = world.dial();
  auto request = session.request();
  request.mutable_fetch_weights()->set_offset(whole.size() + 1);
  const auto refusal = session.ask(request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code(), control::MALFORMED);
  world.expect_good();
}

TEST(MaskedWeights, AConnectionThatBreaksOffMidwayIsGoneOnWith) {
  World world;
  const Bytes whole = fetch(world, 0);
  const Bytes first = fetch(world, 0, whole.size() / 3);  // and the connection is cut
  ASSERT_LT(first.size(), whole.size());
  const Bytes rest = fetch(world, first.size());
  Bytes joined = first;
  joined.insert(joined.end(), rest.begin(), rest.end());
  EXPECT_EQ(joined, whole);
}

// A part of every kind of length: none, within a row, at its end, all but a byte, all, and too much.
TEST(MaskedWeights, APartThatIsThereIsCompletedAndNotFetchedAgain) {
  World world;
  world.client("alice")->prefetch(0);
  const fs::path file = only_file(world.state("alice") / "masked");
  ASSERT_EQ(file.extension(), ".bin");
  const Bytes whole = read_file(file);
  ASSERT_EQ(whole, fetch(world, 0));
  const std::size_t row = MaskedLayout::row_bytes(MaskedLayout(world.plan()).linears[0]);
  for (const std::size_t have : {std::size_t{0}, std::size_t{1}, row, row + 1, whole.size() / 2, whole.size() - 1,
                                 whole.size(), whole.size() + 1}) {
    fs::path part = file;
    part.replace_extension(".part");
    fs::remove(file);
    Bytes bytes = whole;
    bytes.resize(have);
    write_file(part, bytes);
    const auto client = world.client("alice");
    client->prefetch(0);
    EXPECT_EQ(read_file(only_file(world.state("alice") / "masked")), whole) << have;
    const std::size_t digest = frame_header_bytes + sizeof(Digest);
    if (have > 0 && have <= whole.size()) {
      EXPECT_LE(client->cost().setup.received, whole.size() - have + frame_header_bytes * (whole.size() - have) + digest);
    }
    EXPECT_EQ(client->cost().setup.received == digest, have == whole.size()) << have;
  }
  world.expect_good("alice");
}

// A part that a crash left with other bytes than were written: nothing wrong is ever used.
TEST(MaskedWeights, ADamagedPartIsFoundAndFetchedAnew) {
  World world;
  world.client("alice")->prefetch(0);
  const fs::path file = only_file(world.state("alice") / "masked");
  Bytes damaged = read_file(file);
  fs::remove(file);
  fs::path part = file;
  part.replace_extension(".part");
  damaged.resize(damaged.size() / 2);
  damaged[damaged.size() / 3] ^= std::byte{1};
  write_file(part, damaged);
  const auto failure = testing::failure_of([&] { world.client("alice")->prefetch(0); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_NE(failure->text.find("run the command again"), std::string::npos) << failure->text;
  EXPECT_TRUE(fs::is_empty(world.state("alice") / "masked"));
  world.expect_good("alice");
}

TEST(MaskedWeights, fault_69_OfAnOlderModelAreRefusedAndFetchedAnew) {
  World world;
  const Bytes old = fetch(world, 0);
  const ClientBundle bundle = std::move(world.prefetched("alice", 1).front());
  world.stop_server();
  world.use_weights(testing::other_weights(world.mlp()));
  world.start_server();
  {
    RawSession session = world.dial("alice");
    EXPECT_NE(array_of<32>(session.hello.mask(), "mask"), bundle.header.mask);
    EXPECT_EQ(array_of<32>(session.hello.program(), "program"), bundle.header.program);
    auto request = session.infer({bundle.header_bytes});
    request.mutable_infer()->set_mask(text_of(bundle.header.mask));
    const auto refusal = session.ask(request);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), control::MASK);
    EXPECT_NE(refusal->text().find("fetch"), std::string::npos) << refusal->text();
  }
  EXPECT_EQ(world.serials_used(), 0);
  {
    // The right mask id, with a bundle of the older one.
    RawSession session = world.dial("alice");
    const auto refusal = session.ask(session.infer({bundle.header_bytes}));
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), control::BUNDLE);
  }
  EXPECT_EQ(world.serials_used(), 0);
  world.expect_good("alice");  // fetches the new ones
  EXPECT_NE(fetch(world, 0), old);
}

TEST(MaskedWeights, OneWeightChangesEveryBlock) {
  World world;
  const Bytes old = fetch(world, 0);
  world.stop_server();
  world.use_weights(testing::other_weights(world.mlp()));
  world.start_server();
  const Bytes now = fetch(world, 0);
  ASSERT_EQ(now.size(), old.size());
  std::set<std::string> blocks;
  for (const Bytes* e : {&old, &now}) {
    for (std::size_t at = 0; at + 16 <= e->size(); at += 16) {
      EXPECT_TRUE(blocks.insert(text_of(ByteView(*e).subspan(at, 16))).second) << at;
    }
  }
}

// The same weights of two servers: no block alike either.
TEST(MaskedWeights, TwoServersMasksOfTheSameWeightsDifferEverywhere) {
  World one;
  World two;
  std::set<std::string> blocks;
  for (const Bytes& e : {fetch(one, 0), fetch(two, 0)}) {
    for (std::size_t at = 0; at + 16 <= e.size(); at += 16) {
      EXPECT_TRUE(blocks.insert(text_of(ByteView(e).subspan(at, 16))).second) << at;
    }
  }
}

// The model goes and comes back: its mask is what it was, by derivation.
TEST(MaskedWeights, fault_71_AreAFunctionOfStateAndWeights) {
  World world;
  const Bytes first = fetch(world, 0);
  const Weights weights = world.mlp().weights;
  world.stop_server();
  world.use_weights(testing::other_weights(world.mlp()));
  world.start_server();
  EXPECT_NE(fetch(world, 0), first);
  world.stop_server();
  world.use_weights(weights);
  world.start_server();
  EXPECT_EQ(fetch(world, 0), first);
  world.expect_good();
}

}  // namespace
}  // namespace smpc
