// What an observer of the messages, and each party, can see depends on nothing secret.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <set>
#include <thread>

#include "service/recording_channel.h"
#include "smpc/net/channel.h"
#include "smpc/protocol/linear.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"
#include "support/random_program.h"

namespace smpc {
namespace {

using testing::RandomModel;
using testing::Record;
using testing::RecordedFrame;
using testing::RecordingChannel;

// The first model of this kind: three linear maps, comparisons between.
RandomModel model(Reveal reveal, Suite suite = Suite::cryptflow2) {
  for (std::uint64_t seed = 100;; ++seed) {
    std::mt19937_64 rng(seed);
    RandomModel m = testing::random_mlp(rng, suite);
    const bool large = m.program.input().count >= 20 && m.program.classes() >= 5;
    if (m.program.reveal == reveal && m.weights.size() == 3 && large) return m;
  }
}

constexpr std::pair<Reveal, Suite> policies[] = {{Reveal::label, Suite::cryptflow2},
                                                 {Reveal::logits, Suite::cryptflow2},
                                                 {Reveal::label, Suite::masked},
                                                 {Reveal::logits, Suite::masked}};

// A run whose every frame is kept; what comes out is the interpreter's. `look` sees both parties after it.
std::shared_ptr<Record> run(const RandomModel& m, const RingVector& input, std::size_t volumes,
                            const std::function<void(PartyRun& server, PartyRun& client)>& look = {}) {
  const Plan plan = correlation_plan(m.program);
  const Schedule schedule = make_schedule(m.program, plan, volumes);
  LocalSources sources = deal_locally(plan, m.weights, volumes);
  auto record = std::make_shared<Record>();
  RecordingChannel to_client(record, true);
  RecordingChannel to_server(record, false);
  PartyRun server = PartyRun::server(m.program, plan, schedule, *sources.server, m.weights);
  PartyRun client = PartyRun::client(m.program, plan, schedule, *sources.client, input);
  server.keep_shares();
  client.keep_shares();
  {
    std::jthread thread([&] { server.execute(to_client); });
    client.execute(to_server);
  }
  const std::size_t n = m.program.input().count;
  const RingVector& result = client.result();
  for (std::size_t v = 0; v < volumes; ++v) {
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(v * n);
    const RingVector expected = interpret(m.program, m.weights, RingVector(at, at + static_cast<std::ptrdiff_t>(n))).back();
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(result[v * expected.size() + i], expected[i]);
  }
  if (look) look(server, client);
  return record;
}

RingVector constant_input(const RandomModel& m, std::size_t volumes, std::int64_t value) {
  return RingVector(m.program.input().count * volumes, m.program.input().ring.from_signed(value));
}

std::vector<RingVector> inputs(const RandomModel& m, std::size_t volumes) {
  std::mt19937_64 rng(5);
  std::vector<RingVector> out = {constant_input(m, volumes, 0), constant_input(m, volumes, m.input_limit),
                                 constant_input(m, volumes, -m.input_limit)};
  for (int i = 0; i < 3; ++i) out.push_back(testing::random_input(m, volumes, rng));
  RingVector sparse = constant_input(m, volumes, 0);
  sparse[sparse.size() / 2] = m.program.input().ring.from_signed(m.input_limit);
  out.push_back(sparse);
  return out;
}

// As the model's, all zero, and mostly zero. None is larger than the model's own, so that bounds hold.
std::vector<RandomModel> models(const RandomModel& m) {
  RandomModel zero = m;
  RandomModel sparse = m;
  for (std::size_t l = 0; l < m.weights.size(); ++l) {
    WeightMatrix::Wide matrix(m.weights[l].matrix.size());
    zero.weights[l].matrix = WeightMatrix(matrix);
    for (auto& b : zero.weights[l].bias) b = 0;
    for (std::size_t i = 0; i < matrix.size(); i += 10) matrix[i] = m.weights[l].matrix[i];
    sparse.weights[l].matrix = WeightMatrix(std::move(matrix));
  }
  return {m, zero, sparse};
}

TEST(Privacy, DirectionsTypesAndLengthsAreThoseOfTheProgramAlone) {
  for (const auto& [reveal, suite] : policies) {
    const RandomModel base = model(reveal, suite);
    for (const std::size_t volumes : {1U, 3U}) {
      const Schedule schedule = make_schedule(base.program, correlation_plan(base.program), volumes);
      std::vector<testing::Shape> expected;
      for (const Message& m : schedule.messages) {
        ByteWriter header;
        header.u8(static_cast<std::uint8_t>(FrameType::data));
        header.u64(m.bytes);
        expected.push_back({m.from == Party::server, header.take()});
      }
      for (const RandomModel& m : models(base)) {
        for (const RingVector& input : inputs(m, volumes)) EXPECT_EQ(run(m, input, volumes)->shapes(), expected);
      }
    }
  }
}

// With eight volumes at once every field of a message ends with a byte: none of what is sent is padding.
constexpr std::size_t whole_bytes = 8;

// Over many runs with one input and one set of weights, no 16 bytes are ever sent twice.
TEST(Privacy, NoBlockRepeatsOverManyRunsWithOneInput) {
  for (const auto& [reveal, suite] : policies) {
    for (const RandomModel& m : models(model(reveal, suite))) {
      for (const RingVector& input : {constant_input(m, whole_bytes, 0), constant_input(m, whole_bytes, m.input_limit)}) {
        std::set<std::string> blocks;
        for (int i = 0; i < 10; ++i) {
          for (const RecordedFrame& f : run(m, input, whole_bytes)->frames()) {
            for (std::size_t at = 0; at + 16 <= f.payload.size(); at += 16) {
              const auto block = std::string(as_text(ByteView(f.payload).subspan(at, 16)));
              EXPECT_TRUE(blocks.insert(block).second) << "run " << i << ", byte " << at;
            }
          }
        }
        EXPECT_GT(blocks.size(), 100U);
      }
    }
  }
}

// What the client sends for zero volumes, to a server with zero weights, is balanced in its bits.
TEST(Privacy, TheClientsMessagesLookUniformForZeroVolumesAndWeights) {
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    const RandomModel zero = models(model(Reveal::logits, suite))[1];
    std::size_t ones = 0;
    std::size_t bits = 0;
    for (int i = 0; i < 20; ++i) {
      for (const RecordedFrame& f : run(zero, constant_input(zero, whole_bytes, 0), whole_bytes)->frames()) {
        if (f.from_first) continue;
        for (const std::byte b : f.payload) ones += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(b)));
        bits += 8 * f.payload.size();
      }
    }
    ASSERT_GT(bits, 200000U);
    EXPECT_NEAR(static_cast<double>(ones) / static_cast<double>(bits), 0.5, 0.01);
  }
}

// Which bits of something that is looked at many times have been seen as 1, and which as 0.
class SeenBits {
 public:
  void look_at(std::span<const std::uint64_t> values, Ring ring) {
    ones_.resize(values.size());
    zeros_.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ones_[i] |= values[i];
      zeros_[i] |= ring.reduce(~values[i]);
    }
    all_ = ring.mask();
  }
  void look_at(ByteView bytes) {
    RingVector values;
    for (const std::byte b : bytes) values.push_back(std::to_integer<std::uint64_t>(b));
    look_at(values, Ring{8});
  }
  bool all_both_ways() const {
    const auto all = [&](const RingVector& seen) { return std::ranges::all_of(seen, [&](auto v) { return v == all_; }); };
    return !ones_.empty() && all(ones_) && all(zeros_);
  }

 private:
  RingVector ones_;
  RingVector zeros_;
  std::uint64_t all_ = 0;
};

// A mask fills its ring. Over many runs with one input every bit that is sent is 0 at times and 1 at times, and so is every
// bit of what either party holds of a linear map's result: of fair bits one in 2^59 is not, and some 2^20 are looked at.
TEST(Privacy, EveryBitThatIsSentOrSharedIsSeenBothWays) {
  constexpr int runs = 60;
  for (const auto& [reveal, suite] : policies) {
    const std::vector<RandomModel> all = models(model(reveal, suite));
    for (const RandomModel& m : {all[0], all[1]}) {
      SCOPED_TRACE(std::string(to_text(reveal)) + " in suite " + std::string(to_text(suite)));
      std::vector<SeenBits> messages;
      std::vector<std::array<SeenBits, 2>> shares(m.program.ops.size());
      for (int i = 0; i < runs; ++i) {
        const auto record = run(m, constant_input(m, whole_bytes, 0), whole_bytes, [&](PartyRun& server, PartyRun& client) {
          for (std::size_t op = 0; op < m.program.ops.size(); ++op) {
            if (!std::holds_alternative<LinearOp>(m.program.ops[op].kind)) continue;
            const Ring ring = m.program.tensors[op + 1].ring;
            shares[op][0].look_at(server.share(op + 1), ring);
            shares[op][1].look_at(client.share(op + 1), ring);
          }
        });
        const auto frames = record->frames();
        messages.resize(frames.size());
        for (std::size_t f = 0; f < frames.size(); ++f) messages[f].look_at(frames[f].payload);
      }
      for (std::size_t f = 0; f < messages.size(); ++f) EXPECT_TRUE(messages[f].all_both_ways()) << "message " << f;
      for (std::size_t op = 0; op < shares.size(); ++op) {
        if (!std::holds_alternative<LinearOp>(m.program.ops[op].kind)) continue;
        EXPECT_TRUE(shares[op][0].all_both_ways()) << "the server's share of op " << op;
        EXPECT_TRUE(shares[op][1].all_both_ways()) << "the client's share of op " << op;
      }
    }
  }
}

// A party records its spend before the first byte of its own leaves, and once.
TEST(Privacy, NothingLeavesBeforeItsSpend) {
  for (const auto& [reveal, suite] : policies) {
    const RandomModel m = model(reveal, suite);
    const Plan plan = correlation_plan(m.program);
    const Schedule schedule = make_schedule(m.program, plan, 1);
    LocalSources sources = deal_locally(plan, m.weights, 1);
    const auto record = std::make_shared<Record>();
    RecordingChannel to_client(record, true);
    RecordingChannel to_server(record, false);
    PartyRun server = PartyRun::server(m.program, plan, schedule, *sources.server, m.weights);
    PartyRun client = PartyRun::client(m.program, plan, schedule, *sources.client, constant_input(m, 1, 0));
    const auto sent = [&](bool by_server) {
      return std::ranges::count(record->frames(), by_server, &RecordedFrame::from_first);
    };
    std::vector<std::ptrdiff_t> before_server;  // how much it has sent at each spend
    std::vector<std::ptrdiff_t> before_client;
    {
      std::jthread thread([&] {
        server.execute(to_client, {.before_first_send = [&] { before_server.push_back(sent(true)); }, .after_message = {}});
      });
      client.prepare();
      client.execute(to_server, {.before_first_send = [&] { before_client.push_back(sent(false)); }, .after_message = {}});
    }
    EXPECT_EQ(before_server, std::vector<std::ptrdiff_t>{0});
    EXPECT_EQ(before_client, std::vector<std::ptrdiff_t>{0});
  }
}

// A source that gives one b, chosen by the test.
class ChosenMask final : public CorrelationSource {
 public:
  explicit ChosenMask(LinearClient one) : one_(std::move(one)) {}
  Party party() const noexcept override { return Party::client; }
  std::size_t volumes() const noexcept override { return 1; }
  OtSender ot_sender(std::size_t) override { return {}; }
  OtReceiver ot_receiver(std::size_t) override { return {}; }
  AndShare and_share(std::size_t) override { return {}; }
  SharedBitShare shared_bit(std::size_t) override { return {}; }
  BitProductShare bit_product(std::size_t) override { return {}; }
  PrivateBitsShare private_bits(std::size_t) override { return {}; }
  OpeningShare opening(std::size_t) override { return {}; }
  ProductShare product(std::size_t) override { return {}; }
  LookupShare lookup(std::size_t) override { return {}; }
  LinearServer linear_server(std::size_t) override { return {}; }
  LinearClient linear_client(std::size_t) override { return one_; }

 private:
  LinearClient one_;
};

Bytes opening(const LinearDemand& d, RingVector x, RingVector b) {
  InputOp input(std::move(x));
  ChosenMask source({std::move(b), RingVector(d.outputs)});
  const auto op = linear_client(d, 0, input, source);
  Bytes bytes;
  FieldWriter out(bytes);
  op->produce(0, out);
  return bytes;
}

// Exact masking: for every other volume there is a mask, as likely as the first, under which the very same bytes leave.
TEST(Privacy, AnOpeningFitsEveryVolumeEquallyWell) {
  std::mt19937_64 rng(9);
  for (unsigned l = 1; l <= 64; ++l) {
    const LinearDemand d{0, 37, 2, Ring{l}};
    RingVector x(d.inputs);
    RingVector b(d.inputs);
    for (auto& v : x) v = d.ring.reduce(rng());
    for (auto& v : b) v = d.ring.reduce(rng());
    const Bytes sent = opening(d, x, b);
    EXPECT_EQ(sent.size(), ring_field_bytes(d.inputs, d.ring));
    std::vector<RingVector> others = {RingVector(d.inputs), RingVector(d.inputs, d.ring.mask()), RingVector(d.inputs, 1)};
    others.emplace_back();
    for (std::size_t i = 0; i < d.inputs; ++i) others.back().push_back(d.ring.reduce(rng()));
    for (const RingVector& y : others) {
      RingVector c(d.inputs);
      for (std::size_t i = 0; i < d.inputs; ++i) c[i] = d.ring.reduce(b[i] + y[i] - x[i]);
      EXPECT_EQ(opening(d, y, c), sent) << l;
    }
    RingVector other = b;
    other[5] = d.ring.reduce(other[5] + 1);
    EXPECT_NE(opening(d, x, other), sent) << l;  // the test can fail
  }
}

// One mask, one opening: asking for it twice is our own bug.
TEST(PrivacyDeathTest, AnOpeningIsMadeOnce) {
  const LinearDemand d{0, 3, 2, Ring{20}};
  InputOp input(RingVector(3));
  ChosenMask source({RingVector(3, 1), RingVector(2)});
  const auto op = linear_client(d, 0, input, source);
  Bytes bytes;
  FieldWriter out(bytes);
  op->produce(0, out);
  EXPECT_DEATH(op->produce(0, out), "internal error");
}

}  // namespace
}  // namespace smpc
