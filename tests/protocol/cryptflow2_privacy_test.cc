// Suite cryptflow2: what each party sends, and what both together open, is uniform, whatever x is.
#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/run_shift.h"
#include "protocol/uniform.h"

namespace smpc {
namespace {

using testing::byte_ring;
using testing::count;
using testing::expect_even;
using testing::expect_fair;
using testing::field_bytes;

constexpr unsigned slot_digits = 1;

// Bits, and behind those of a product one ring element each.
void expect_uniform(ByteView half, bool product, const std::string& what) {
  const ByteView bits = product ? half.first(field_bytes) : half;
  for (std::size_t at = 0; at < bits.size(); at += field_bytes) expect_fair(bits.subspan(at, field_bytes), what);
  if (product) expect_even(half.subspan(field_bytes), what);
}

// In shares that hide nothing: what hides x are the masks alone.
void check(ShiftPlan::What what, unsigned f, std::int64_t x) {
  SCOPED_TRACE(::testing::Message() << "x = " << x << ", shift " << f);
  std::vector<testing::Sent> sent;
  testing::run(testing::plan_of(Suite::cryptflow2, what, count, byte_ring, byte_ring, f), RingVector(count, byte_ring.from_signed(x)),
               RingVector(count), &sent);
  ASSERT_GE(sent.size(), 4U);
  const unsigned last = sent.back().half.slot;
  for (std::size_t h = 0; h < sent.size(); ++h) {
    const unsigned slot = sent[h].half.slot;
    const bool product = what == ShiftPlan::What::relu && slot == last;
    const Bytes& mine = sent[h].bytes;
    expect_uniform(mine, product, "slot " + std::to_string(slot));
    if (slot <= slot_digits || h == 0 || sent[h - 1].half.slot != slot) continue;
    const Bytes& theirs = sent[h - 1].bytes;
    ASSERT_EQ(mine.size(), theirs.size());
    Bytes opened(mine.size());
    for (std::size_t i = 0; i < opened.size(); ++i) {
      const auto sum = std::to_integer<unsigned>(mine[i]) + std::to_integer<unsigned>(theirs[i]);
      opened[i] = product && i >= field_bytes ? static_cast<std::byte>(sum) : mine[i] ^ theirs[i];
    }
    expect_uniform(opened, product, "slot " + std::to_string(slot) + ", opened");
  }
}

TEST(Cryptflow2Privacy, WhatAReluSendsAndOpensIsUniformForEveryKindOfValue) {
  for (const unsigned f : {0U, 3U, 7U}) {
    for (const std::int64_t x : {-128, -1, 0, 1, 100, 127}) check(ShiftPlan::What::relu, f, x);
  }
}

TEST(Cryptflow2Privacy, WhatATruncationSendsAndOpensIsUniformForEveryKindOfValue) {
  for (const unsigned f : {1U, 3U, 6U}) {
    for (const std::int64_t x : {-64, -1, 0, 1, 63}) check(ShiftPlan::What::truncate, f, x);
  }
}

}  // namespace
}  // namespace smpc
