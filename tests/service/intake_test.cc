// Bundles as the client takes them: finished and sealed, together in memory or one by one as they come.
#include "bundle_intake.h"

#include <thread>

#include "service/support.h"
#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/crypto/sealed_pieces.h"

namespace smpc {
namespace {

constexpr std::size_t large = 20000;  // values of a layer

Program wide_program() {
  Program p;
  p.suite = Suite::masked;
  const Ring ring{40};
  p.inputs = {{"x", {50}, -1, 1}};
  p.outputs = {{"y", {10}}};
  p.tensors = {{50, 10, ring}, {large, 20, ring}, {large, 10, ring}, {10, 20, ring}};
  p.ops = {{"first", LinearOp{50, large}}, {"relu", ReluOp{10}}, {"second", LinearOp{large, 10}}};
  p.reveal = Reveal::logits;
  for (std::size_t c = 0; c < 10; ++c) p.labels.push_back("class_" + std::to_string(c));
  return p;
}

class Intake : public ::testing::Test {
 protected:
  Intake() {
    os_random(masked_);
    for (std::size_t i = 0; i < most; ++i) {
      BundleHeader h;
      h.client = "urn:smpc:client:alice";
      os_random(h.serial);
      headers_.push_back(encode(h, shared_));
      seeds_.push_back({random_key(), random_key()});
    }
    corrections_ = make_corrections(plan_, random_key(), seeds_);
  }

  // The dealer's side, `count` bundles of it, and the client's.
  void take(std::size_t count) {
    const auto ends = memory_channels("urn:smpc:dealer:d", "urn:smpc:client:alice");
    const std::jthread dealer([&] {
      for (std::size_t i = 0; i < count; ++i) {
        SecretBytes body(seeds_[i].client.reveal().begin(), seeds_[i].client.reveal().end());
        body.insert(body.end(), corrections_[i].begin(), corrections_[i].end());
        ends.first->send(FrameType::bulk, headers_[i]);
        ends.first->send(FrameType::bulk, body);
      }
    });
    std::size_t accepted = 0;
    const auto accept = [&](const BundleHeader& h) {
      EXPECT_EQ(h.client, "urn:smpc:client:alice");
      ++accepted;
    };
    taken_ = take_bundles(*ends.second, count, plan_, masked_, accept, folder_.path());
    EXPECT_EQ(accepted, count);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));  // nothing that has a name
  }

  void expect_what_is_finished_in_memory() {
    std::vector<ClientMaterial> expected;
    for (std::size_t i = 0; i < taken_.size(); ++i) expected.push_back({seeds_[i].client, corrections_[i]});
    finish_corrections(plan_, masked_, expected);
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const SealedBundle& b = taken_[i];
      EXPECT_EQ(to_hex(b.header_bytes), to_hex(headers_[i]));
      ASSERT_EQ(b.pieces, piece_count(32 + plan_.correction_bytes()));
      PieceReader reader(b.key, 32 + plan_.correction_bytes(), b.header_bytes, b.piece);
      SecretBytes seed(32);
      SecretBytes found(plan_.correction_bytes());
      ASSERT_TRUE(reader.read(0, seed));
      ASSERT_TRUE(reader.read(32, found));
      EXPECT_TRUE(std::equal(seed.begin(), seed.end(), seeds_[i].client.reveal().begin()));
      EXPECT_TRUE(found == expected[i].corrections);
      EXPECT_FALSE(found == corrections_[i]);
    }
  }

  static constexpr std::size_t most = 12;
  const Program program_ = wide_program();
  const Plan plan_ = correlation_plan(program_);
  test::TemporaryFolder folder_;
  Key shared_ = random_key();
  Bytes masked_ = Bytes(MaskedLayout(plan_).bytes());
  std::vector<Bytes> headers_;
  std::vector<BundleSeeds> seeds_;
  std::vector<SecretBytes> corrections_;
  std::vector<SealedBundle> taken_;
};

TEST_F(Intake, SmallOnesAreFinishedTogether) {
  ASSERT_LE(2 * (32 + plan_.correction_bytes()), finished_together);
  take(2);
  expect_what_is_finished_in_memory();
}

TEST_F(Intake, LargeOnesAreFinishedAsTheyCome) {
  ASSERT_GT(most * (32 + plan_.correction_bytes()), finished_together);
  take(most);
  expect_what_is_finished_in_memory();
}

// What a dealer that goes away has sent so far is lost, and leaves nothing behind.
TEST_F(Intake, AnEndInTheMiddleIsAnError) {
  const auto ends = memory_channels("urn:smpc:dealer:d", "urn:smpc:client:alice");
  ends.first->send(FrameType::bulk, headers_[0]);
  ends.first->close();
  EXPECT_THROW(take_bundles(*ends.second, most, plan_, masked_, [](const BundleHeader&) {}, folder_.path()), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace smpc
