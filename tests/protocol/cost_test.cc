// What a ReLU with truncation costs, in both suites.
#include <gtest/gtest.h>

#include "protocol/run_shift.h"
#include "smpc/runtime/schedule.h"

namespace smpc {
namespace {

struct Bits {
  std::size_t online = 0;  // both ways together
  std::size_t bundle = 0;
  friend bool operator==(const Bits&, const Bits&) = default;
};

Bits bits_per_value(Suite suite, unsigned l, unsigned f, unsigned out) {
  constexpr std::size_t n = 64;  // no padding
  const Plan plan = testing::plan_of(suite, ShiftPlan::What::relu, n, Ring{l}, Ring{out}, f);
  HalfList list;
  declare_shift(std::get<ShiftPlan>(plan.ops[0]), 1, {}, 0, list);
  Bits bits{0, plan.correction_bytes() * 8 / n};
  for (const Half& h : list.halves()) bits.online += h.bytes * 8 / n;
  return bits;
}

TEST(Cost, OfAReluWithTruncationInSuiteCryptflow2) {
  const Bits bits = bits_per_value(Suite::cryptflow2, 44, 15, 44);
  EXPECT_EQ(bits.online, 422U);
  EXPECT_EQ(bits.bundle, 226U);
  EXPECT_LE(bits.online, 55U * 8);
  EXPECT_LE(bits.bundle, 30U * 8);
}

TEST(Cost, OfAReluWithTruncationInSuiteMasked) {
  const Bits bits = bits_per_value(Suite::masked, 44, 15, 44);
  EXPECT_EQ(bits.online, 148U);
  EXPECT_EQ(bits.bundle, 391U);
  EXPECT_LE(bits.online, 19U * 8);
}

// The map's own correction, of 44 bits, carries the mask.
TEST(Cost, OfAReluWithTruncationAfterALinearMapInSuiteMasked) {
  constexpr std::size_t n = 64;
  Program p;
  p.suite = Suite::masked;
  p.inputs = {{"x", {1}, -1, 1}};
  p.tensors = {{1, 20, Ring{44}}, {n, 20, Ring{44}}, {n, 20, Ring{44}}};
  p.ops = {{"linear", LinearOp{1, n}}, {"relu", ReluOp{15}}};
  const Plan plan = correlation_plan(p);
  const std::size_t of_linear = correction_bytes(plan.demands[std::get<LinearPlan>(plan.ops[0]).demand]);
  EXPECT_EQ(of_linear * 8 / n, 44U);
  const std::size_t bundle = (plan.correction_bytes() - of_linear) * 8 / n;
  EXPECT_EQ(bundle, 347U);
  EXPECT_LE(bundle, 44U * 8);
  HalfList list;
  declare_shift(std::get<ShiftPlan>(plan.ops[1]), 1, {}, 0, list);
  std::size_t online = 0;
  for (const Half& h : list.halves()) online += h.bytes * 8 / n;
  EXPECT_EQ(online, 148U);
}

}  // namespace
}  // namespace smpc
