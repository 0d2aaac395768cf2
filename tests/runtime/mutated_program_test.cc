// Programs that somebody made up: what is decoded can be planned, scheduled, explained and its cost and memory told. Whoever reads
// a program does all of that before it knows whether to trust its maker.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "program/examples.h"
#include "smpc/base/error.h"
#include "smpc/correlation/masks.h"
#include "smpc/runtime/explain.h"
#include "smpc/runtime/memory.h"
#include "support/random_graph.h"
#include "support/thinned.h"

namespace smpc {
namespace {

constexpr std::uint64_t extremes[] = {0,          1,          2,          63,         64,         65,         1ULL << 16,  (1ULL << 31) - 1,
                                      1ULL << 31, 0xfffffffe, 0xffffffff, 1ULL << 32, 1ULL << 36, 1ULL << 62, 1ULL << 63,  ~1ULL,
                                      ~0ULL};

void plan_all(const Program& p) {
  const Plan plan = correlation_plan(p);
  ASSERT_EQ(plan.ops.size(), p.ops.size());
  MaskedLayout(plan).bytes();
  for (const std::size_t volumes : {1U, 64U}) {
    const Schedule schedule = make_schedule(p, plan, volumes);
    const Cost cost = predicted_cost(schedule);
    const RunMemory memory = predicted_memory(p, plan, schedule);
    const Explanation e = explain(p, volumes);
    ASSERT_EQ(e.messages, cost.messages);
    ASSERT_EQ(e.client_to_server, cost.client_to_server);
    ASSERT_EQ(e.memory.client, memory.client);
    // Nothing has wrapped: no run takes 2^60 bytes, of elements and weights that can be counted.
    for (const std::size_t bytes : {cost.client_to_server, cost.server_to_client, memory.client, memory.server, e.bundle_bytes, e.masked_weight_bytes}) {
      ASSERT_LT(bytes, std::size_t{1} << 60);
    }
    ASSERT_LE(costliest(e, 3).size(), 3U);
  }
}

class Mutated : public ::testing::Test {
 protected:
  std::size_t pick(std::size_t low, std::size_t high) { return low + rng_() % (high - low + 1); }
  std::uint64_t extreme() { return extremes[pick(0, std::size(extremes) - 1)]; }

  Program seed(std::size_t i) {
    if (i % 8 == 0) return testing::example(i % 16 == 0 ? Reveal::label : Reveal::logits);
    if (i % 8 == 1) return testing::example_graph();
    if (i % 8 == 2) return testing::random_mlp(rng_, i % 16 == 2 ? Suite::masked : Suite::cryptflow2).program;
    return testing::random_graph(rng_, i % 2 == 0 ? Suite::masked : Suite::cryptflow2, pick(1, 10)).program;
  }

  // Refused, or all can be told of it.
  void expect_told(const std::function<Program()>& make) {
    Program p;
    try {
      p = make();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      ++refused_;
      return;
    }
    ++taken_;
    plan_all(p);
  }

  // A shift and the scales that it explains; rings; shapes; counts.
  void spoil(Program& p) {
    const std::size_t i = pick(0, p.ops.size() - 1);
    TensorType& out = p.tensors[i + 1];
    const std::size_t in = p.inputs_of(i).front();
    switch (pick(0, 5)) {
      case 0: out.ring.bits = static_cast<unsigned>(pick(0, 66)); return;
      case 1: p.tensors[in].ring.bits = static_cast<unsigned>(pick(0, 66)); return;
      case 2: out.scale = static_cast<int>(extreme()); return;
      case 3: out.count = extreme(); return;
      case 4: {
        const auto shift = pick(0, 1) == 0 ? static_cast<unsigned>(extreme()) : static_cast<unsigned>(pick(0, 66)) - 1;
        p.ops[i].kind = pick(0, 1) == 0 ? OpKind(TruncateOp{shift}) : OpKind(ReluOp{shift});
        out.scale = static_cast<int>(static_cast<unsigned>(p.tensors[in].scale) - shift);
        out.count = p.tensors[in].count;
        return;
      }
      default: {
        auto* conv = std::get_if<ConvOp>(&p.ops[i].kind);
        auto* windows = std::get_if<WindowSumOp>(&p.ops[i].kind);
        if (conv == nullptr && windows == nullptr) return;
        ConvAxis& a = (conv != nullptr ? conv->shape : windows->shape).axes[pick(0, 2)];
        const std::array<std::size_t*, 6> parts{&a.input, &a.output, &a.kernel, &a.stride, &a.dilation, &a.spread};
        if (pick(0, 3) == 0) a.pad = static_cast<std::int64_t>(extreme());
        *parts[pick(0, 5)] = extreme();
      }
    }
  }

  std::mt19937_64 rng_{15};
  std::size_t refused_ = 0;
  std::size_t taken_ = 0;
};

TEST_F(Mutated, BytesAreRefusedOrEverythingCanBeToldOfThem) {
  for (std::size_t i = 0; i < 2000 / testing::one_in(5) && !HasFatalFailure(); ++i) {
    const Bytes bytes = encode(seed(i));
    for (int n = 0; n < 20; ++n) {
      Bytes wrong = bytes;
      const std::size_t at = pick(0, wrong.size() - 1);
      if (pick(0, 1) == 0) {
        wrong[at] ^= static_cast<std::byte>(1U << pick(0, 7));
      } else {
        const std::uint64_t value = extreme();
        const std::size_t size = std::min<std::size_t>(pick(0, 1) == 0 ? 4 : 8, wrong.size() - at);
        for (std::size_t k = 0; k < size; ++k) wrong[at + k] = static_cast<std::byte>(value >> (8 * k));
      }
      expect_told([&] { return decode_program(wrong); });
    }
  }
  EXPECT_GT(refused_, 10'000U / testing::one_in(5));
  EXPECT_GT(taken_, 3'000U / testing::one_in(5));
}

TEST_F(Mutated, FieldsAreRefusedOrEverythingCanBeToldOfThem) {
  for (std::size_t i = 0; i < 2000 / testing::one_in(5) && !HasFatalFailure(); ++i) {
    const Program whole = seed(i);
    for (int n = 0; n < 20; ++n) {
      Program p = whole;
      spoil(p);
      if (pick(0, 2) == 0) spoil(p);
      expect_told([&] { return decode_program(encode(p)); });
    }
  }
  EXPECT_GT(refused_, 10'000U / testing::one_in(5));
  EXPECT_GT(taken_, 3'000U / testing::one_in(5));
}

}  // namespace
}  // namespace smpc
