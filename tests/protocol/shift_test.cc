// The comparison kernels over every pair of shares at l = 8.
#include "smpc/protocol/shift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "protocol/run_shift.h"
#include "support/thinned.h"

namespace smpc {
namespace {

using testing::Outcome;
using testing::plan_of;
using testing::run;

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

class Shift : public ::testing::TestWithParam<Suite> {};

TEST_P(Shift, ReluWithTruncationIsExactForEveryPairOfSharesAndEveryShift) {
  const AllPairs pairs;
  const Ring in{8};
  for (unsigned f = 0; f <= 7; f += testing::one_in(3)) {
    for (const unsigned out_bits : {1U, 3U, 8U - f, 8U, 12U, 44U, 64U}) {
      const Ring out{std::max(1U, out_bits)};
      const Outcome r = run(plan_of(GetParam(), ShiftPlan::What::relu, 65536, in, out, f), pairs.server, pairs.client);
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

TEST_P(Shift, TruncationIsExactForEveryPairOfSharesInItsRange) {
  const AllPairs pairs;
  const Ring in{8};
  for (unsigned f = 0; f <= 6; f += testing::one_in(3)) {
    for (const unsigned out_bits : {4U, 8U, 13U, 64U}) {
      const Ring out{out_bits};
      const Outcome r = run(plan_of(GetParam(), ShiftPlan::What::truncate, 65536, in, out, f), pairs.server, pairs.client);
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

// Truncation: every l and shift, where the ring grows and where it does not.
TEST_P(Shift, TruncationOfEveryWidthOnRandomAndExtremeShares) {
  std::mt19937_64 rng(8);
  for (unsigned l = 2; l <= 64; ++l) {
    for (const unsigned f : {0U, std::min(l / 3, l - 2), std::min(l / 2, l - 2), l - 2}) {
      for (const unsigned out_bits : {1 + static_cast<unsigned>(rng() % 64), l, 64U}) {
        const Ring in{l};
        const Ring out{out_bits};
        constexpr std::size_t n = 97;
        const auto half = static_cast<std::int64_t>(std::uint64_t{1} << (l - 2));
        RingVector x0(n);
        RingVector x1(n);
        std::vector<std::int64_t> x(n);
        for (std::size_t i = 0; i < n; ++i) {
          x[i] = i % 4 == 0 ? -half : i % 4 == 1 ? half - 1 : static_cast<std::int64_t>(rng() % (2 * static_cast<std::uint64_t>(half))) - half;
          x0[i] = in.reduce(rng());
          x1[i] = in.reduce(in.from_signed(x[i]) - x0[i]);
        }
        const Outcome r = run(plan_of(GetParam(), ShiftPlan::What::truncate, n, in, out, f), x0, x1);
        for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(r.output[i], out.from_signed(x[i] >> f)) << l << " bits, shift " << f;
      }
    }
  }
}

TEST_P(Shift, EveryWidthAndShiftOnRandomAndExtremeShares) {
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
      const Outcome r = run(plan_of(GetParam(), ShiftPlan::What::relu, n, in, out, f), x0, x1);
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t x = in.to_signed(in.reduce(x0[i] + x1[i]));
        ASSERT_EQ(r.output[i], out.from_signed(std::max<std::int64_t>(x, 0) >> f)) << l << " bits, shift " << f;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, Shift, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
