// Products of two secrets, signs that become numbers, and tables: what each party sends, and what both together open, is uniform,
// whatever the values are.
#include <gtest/gtest.h>

#include "protocol/run_shift.h"
#include "protocol/uniform.h"
#include "smpc/protocol/lookup.h"
#include "smpc/protocol/product.h"
#include "smpc/protocol/step.h"
#include "support/thinned.h"

namespace smpc {
namespace {

using testing::byte_ring;
using testing::count;
using testing::expect_even;
using testing::expect_fair;


Plan plan_of(Suite suite, const OpKind& kind, std::vector<std::size_t> inputs) {
  Program p;
  p.suite = suite;
  p.inputs = {{"x", {count}, -1, 1}};
  p.tensors = {{count, 0, byte_ring}, {count, 0, byte_ring}};
  p.ops = {{"op", kind, std::move(inputs)}};
  return correlation_plan(p);
}

// What both halves of an opening show together, byte by byte.
Bytes opened_by(const std::vector<testing::Sent>& sent) {
  Bytes opened(sent[0].bytes.size());
  for (std::size_t i = 0; i < opened.size(); ++i) {
    opened[i] = static_cast<std::byte>(std::to_integer<unsigned>(sent[0].bytes[i]) + std::to_integer<unsigned>(sent[1].bytes[i]));
  }
  return opened;
}

// In shares that hide nothing: what hides the values are the masks alone.
TEST(ProductPrivacy, WhatIsSentAndOpenedIsUniformForEveryKindOfValue) {
  const ProductOp shape{count, 1, 1, 1};
  const Plan plan = plan_of(Suite::masked, shape, {0, 0});
  const auto& d = std::get<ProductDemand>(plan.demands[0]);
  for (const std::int64_t x : {-128, -1, 0, 1, 127}) {
    for (const std::int64_t y : {-128, 0, 3}) {
      SCOPED_TRACE(::testing::Message() << x << " times " << y);
      auto sources = deal_locally(plan, {}, 1);
      InputOp x0(RingVector(count, byte_ring.from_signed(x)));
      InputOp x1{RingVector(count)};
      InputOp y0{RingVector(count)};
      InputOp y1(RingVector(count, byte_ring.from_signed(y)));
      const auto server = product_op(d, 0, x0, y0, *sources.server);
      const auto client = product_op(d, 0, x1, y1, *sources.client);
      HalfList list;
      declare_product(d, 1, {}, list);
      std::vector<testing::Sent> sent;
      testing::exchange_halves(list, *server, *client, &sent);
      ASSERT_EQ(sent.size(), 2U);
      const Bytes opened = opened_by(sent);
      for (const Bytes& all : {sent[0].bytes, sent[1].bytes, opened}) {
        ASSERT_EQ(all.size(), 2 * count);
        expect_even(ByteView(all).first(count), "of the left");
        expect_even(ByteView(all).subspan(count), "of the right");
      }
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(byte_ring.reduce(server->output()[i] + client->output()[i]), byte_ring.from_signed(x * y));
      }
      Bytes share(count);
      for (std::size_t i = 0; i < count; ++i) share[i] = static_cast<std::byte>(client->output()[i]);
      expect_even(share, "of the result");
    }
  }
}

TEST(LookupPrivacy, WhatIsSentAndOpenedIsUniformForEveryIndex) {
  LookupOp op{8, {}};
  for (std::int64_t v = 0; v < 256; ++v) op.table.push_back(v * v % 251);
  const Plan plan = plan_of(Suite::masked, op, {});
  const auto& d = std::get<LookupDemand>(plan.demands[0]);
  constexpr std::uint64_t indices[] = {0, 1, 127, 128, 255};
  for (std::size_t k = 0; k < std::size(indices); k += testing::one_in(2)) {
    const std::uint64_t x = indices[k];
    SCOPED_TRACE(x);
    auto sources = deal_locally(plan, {}, 1);
    InputOp x0(RingVector(count, x));
    InputOp x1{RingVector(count)};
    const auto server = lookup_op(d, 0, op, x0, *sources.server);
    const auto client = lookup_op(d, 0, op, x1, *sources.client);
    HalfList list;
    declare_lookup(d, 1, {}, list);
    std::vector<testing::Sent> sent;
    testing::exchange_halves(list, *server, *client, &sent);
    ASSERT_EQ(sent.size(), 2U);
    const Bytes opened = opened_by(sent);
    ASSERT_EQ(opened.size(), count);
    expect_even(sent[0].bytes, "of the one");
    expect_even(sent[1].bytes, "of the other");
    expect_even(opened, "opened");
    Bytes share(count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(byte_ring.reduce(server->output()[i] + client->output()[i]), byte_ring.from_signed(op.table[x]));
      share[i] = static_cast<std::byte>(client->output()[i]);
    }
    expect_even(share, "of the result");
  }
}

TEST(StepPrivacy, WhatIsOpenedIsFairForEveryKindOfValue) {
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    const Plan plan = plan_of(suite, StepOp{}, {});
    const auto& step = std::get<StepPlan>(plan.ops[0]);
    for (const std::int64_t x : {-128, -1, 0, 1, 127}) {
      SCOPED_TRACE(::testing::Message() << to_text(suite) << ", " << x);
      auto sources = deal_locally(plan, {}, 1);
      InputOp x0(RingVector(count, byte_ring.from_signed(x)));
      InputOp x1{RingVector(count)};
      const auto server = step_op(step, x0, *sources.server);
      const auto client = step_op(step, x1, *sources.client);
      HalfList list;
      declare_step(step, 1, {}, list);
      std::vector<testing::Sent> sent;
      testing::exchange_halves(list, *server, *client, &sent);
      const Bytes& mine = sent.back().bytes;
      const Bytes& theirs = sent[sent.size() - 2].bytes;
      ASSERT_EQ(mine.size(), testing::field_bytes);
      ASSERT_EQ(theirs.size(), testing::field_bytes);
      Bytes opened(mine.size());
      for (std::size_t i = 0; i < opened.size(); ++i) opened[i] = mine[i] ^ theirs[i];
      expect_fair(mine, "of the one");
      expect_fair(theirs, "of the other");
      expect_fair(opened, "opened");
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(byte_ring.reduce(server->output()[i] + client->output()[i]), x >= 0 ? 1U : 0U);
      }
    }
  }
}

}  // namespace
}  // namespace smpc
