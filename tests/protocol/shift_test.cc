// The comparison kernels over every pair of shares at l = 8.
#include "smpc/protocol/shift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/two_party.h"

namespace smpc {
namespace {

// All 65,536 pairs of shares of 8 bits.
struct AllPairs {
  RingVector server = RingVector(65536);
  RingVector client = RingVector(65536);
  AllPairs() {
    for (std::size_t i = 0; i < 65536; ++i) {
      server[i] = i & 255;
      client[i] = i >> 8;
    }
  }
};

// Runs one shift between two threads' worth of state, half by half, with the runtime's own ordering.
struct Outcome {
  BitVector sign;
  RingVector output;
};

Plan plan_of(ShiftPlan::What what, std::size_t count, Ring in, Ring out, unsigned shift) {
  Program p;
  p.input_shape = {count};
  p.input_range = 1;
  p.tensors = {{count, 20, in}, {count, 20, out}};
  OpKind kind = what == ShiftPlan::What::relu ? OpKind(ReluOp{shift}) : OpKind(TruncateOp{shift});
  p.ops = {{"op", kind}};
  return correlation_plan(p);
}

// Exchanges halves in order until both are done: whatever a half needs stands before it.
Outcome run(const Plan& plan, const RingVector& x0, const RingVector& x1) {
  const auto& shift = std::get<ShiftPlan>(plan.ops[0]);
  auto sources = deal_locally(plan, {}, 1);
  InputOp in0(x0);
  InputOp in1(x1);
  auto server = shift_op(shift, in0, *sources.server);
  auto client = shift_op(shift, in1, *sources.client);
  HalfList list;
  declare_shift(shift, 1, {}, 0, list);
  // Both halves of a level are computed before either is received, as with messages that cross.
  struct Sent {
    Half half;
    Bytes bytes;
  };
  std::vector<Sent> crossing;
  const auto deliver = [&] {
    for (Sent& s : crossing) {
      FieldReader in(s.bytes);
      (s.half.from == Party::server ? client : server)->consume(s.half.slot, in);
      EXPECT_EQ(in.left(), 0U);
    }
    crossing.clear();
  };
  for (const Half& h : list.halves()) {
    if (!crossing.empty() && h.slot != crossing.back().half.slot) deliver();
    Sent s{h, {}};
    FieldWriter out(s.bytes);
    (h.from == Party::server ? server : client)->produce(h.slot, out);
    EXPECT_EQ(s.bytes.size(), h.bytes);
    crossing.push_back(std::move(s));
  }
  deliver();
  Outcome r;
  if (shift.what == ShiftPlan::What::relu) r.sign = server->sign() ^ client->sign();
  r.output = server->output();
  for (std::size_t i = 0; i < r.output.size(); ++i) {
    r.output[i] = shift.out.reduce(r.output[i] + client->output()[i]);
  }
  return r;
}

TEST(Shift, ReluWithTruncationIsExactForEveryPairOfSharesAndEveryShift) {
  const AllPairs pairs;
  const Ring in{8};
  for (unsigned f = 0; f <= 7; ++f) {
    for (const unsigned out_bits : {1U, 3U, 8U - f, 8U, 12U, 44U, 64U}) {
      const Ring out{std::max(1U, out_bits)};
      const Outcome r = run(plan_of(ShiftPlan::What::relu, 65536, in, out, f), pairs.server, pairs.client);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < 65536; ++i) {
        const std::int64_t x = in.to_signed(in.reduce(pairs.server[i] + pairs.client[i]));
        wrong += r.output[i] != out.from_signed(std::max<std::int64_t>(x, 0) >> f) ? 1 : 0;
        wrong += r.sign.get(i) != (x >= 0 ? 1U : 0U) ? 1 : 0;
      }
      EXPECT_EQ(wrong, 0U) << "shift " << f << ", out " << out.bits << " bits";
    }
  }
}

TEST(Shift, TruncationIsExactForEveryPairOfSharesInItsRange) {
  const AllPairs pairs;
  const Ring in{8};
  for (unsigned f = 0; f <= 6; ++f) {
    for (const unsigned out_bits : {4U, 8U, 13U, 64U}) {
      const Ring out{out_bits};
      const Outcome r = run(plan_of(ShiftPlan::What::truncate, 65536, in, out, f), pairs.server, pairs.client);
      std::size_t wrong = 0;
      std::size_t checked = 0;
      for (std::size_t i = 0; i < 65536; ++i) {
        const std::int64_t x = in.to_signed(in.reduce(pairs.server[i] + pairs.client[i]));
        if (x < -64 || x >= 64) continue;
        ++checked;
        wrong += r.output[i] != out.from_signed(x >> f) ? 1 : 0;
      }
      EXPECT_EQ(wrong, 0U) << "shift " << f << ", out " << out_bits << " bits";
      EXPECT_EQ(checked, 32768U);
    }
  }
}

TEST(Shift, EveryWidthAndShiftOnRandomAndExtremeShares) {
  std::mt19937_64 rng(7);
  for (unsigned l = 2; l <= 64; ++l) {
    for (const unsigned f : {0U, 1U, l / 3, l / 2, l - 2, l - 1}) {
      const Ring in{l};
      const Ring out{1 + static_cast<unsigned>(rng() % 64)};
      constexpr std::size_t n = 97;
      RingVector x0(n);
      RingVector x1(n);
      for (std::size_t i = 0; i < n; ++i) {
        x0[i] = in.reduce(rng());
        x1[i] = in.reduce(rng());
        if (i % 4 == 0) x1[i] = in.reduce((std::uint64_t{1} << (l - 1)) - x0[i] - (i % 8 ? 1 : 0));  // +-2^(l-1)
        if (i % 4 == 1) x1[i] = in.reduce(i % 8 == 1 ? 0 - x0[i] : ~x0[i]);                          // 0 and -1
      }
      const Outcome r = run(plan_of(ShiftPlan::What::relu, n, in, out, f), x0, x1);
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t x = in.to_signed(in.reduce(x0[i] + x1[i]));
        ASSERT_EQ(r.output[i], out.from_signed(std::max<std::int64_t>(x, 0) >> f)) << l << " bits, shift " << f;
      }
    }
  }
}

}  // namespace
}  // namespace smpc
